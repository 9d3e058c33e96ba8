//! Reads the text of `WWW-Authenticate` (RFC 9110, "WWW-Authenticate").
//!
//! Some servers leave out quotes that a value needs, leave out commas, or write schemes that do not follow the grammar,
//! such as `Negotiate` with a token. So nothing is an error here. Text that cannot be read is skipped, and the
//! challenges after it are still found.

/// How many characters of a header are read.
const LIMIT: usize = 16 * 1024;
/// The schemes that can follow a list of actions without a space.
const SCHEMES: [&str; 5] = ["basic", "bearer", "digest", "negotiate", "ntlm"];

/// A challenge in a header: a scheme and its parameters.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Scanned {
    pub(super) scheme: String,
    parameters: Vec<(String, String)>,
}

impl Scanned {
    pub(super) fn is(&self, scheme: &str) -> bool {
        self.scheme.eq_ignore_ascii_case(scheme)
    }

    /// Returns the first value of a parameter that is not empty.
    pub(super) fn parameter(&self, name: &str) -> Option<String> {
        self.values(name).next().map(str::to_owned)
    }

    /// Returns the values of a parameter that are not empty.
    pub(super) fn values(&self, name: &str) -> impl Iterator<Item = &str> {
        let named = self
            .parameters
            .iter()
            .filter(move |(key, value)| key.eq_ignore_ascii_case(name) && !value.is_empty());
        named.map(|(_, value)| value.as_str())
    }
}

/// Returns the challenges in the text of a header.
pub(super) fn scan(text: &str) -> Vec<Scanned> {
    let text = text
        .char_indices()
        .nth(LIMIT)
        .and_then(|(end, _)| text.get(..end))
        .unwrap_or(text);
    let mut found: Vec<Scanned> = Vec::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches(is_delimiter);
        if rest.is_empty() {
            return found;
        }
        let end = rest.find(|c| is_delimiter(c) || c == '=');
        let (word, after) = rest.split_at(end.unwrap_or(rest.len()));
        let Some(assigned) = after.trim_start().strip_prefix('=') else {
            found.push(Scanned {
                scheme: word.trim_end_matches(':').to_owned(),
                parameters: Vec::new(),
            });
            rest = after;
            continue;
        };
        let (value, after) = value(assigned, word.eq_ignore_ascii_case("scope"));
        if let Some(challenge) = found.last_mut() {
            challenge.parameters.push((word.to_owned(), value));
        }
        rest = after;
    }
}

/// Returns the value at the start of `text`, and the text after it. `is_scope` says whether the value is a list of
/// scopes, which may contain commas.
fn value(text: &str, is_scope: bool) -> (String, &str) {
    let trimmed = text.trim_start();
    if let Some(quoted) = trimmed.strip_prefix('"')
        && let Some(found) = unquote(quoted)
    {
        return found;
    }
    if let Some(quoted) = trimmed.strip_prefix('\'')
        && let Some((value, rest)) = quoted.split_once('\'')
    {
        return (value.to_owned(), rest);
    }
    // A quote without an end is ignored.
    let start = trimmed.trim_start_matches(['"', '\'']);
    let mut end = start.find(ends_value).unwrap_or(start.len());
    let spaced = trimmed.len() < text.len();
    let next = start.get(..end).and_then(|word| word.split_once('='));
    if spaced && next.is_some_and(|(name, _)| name.chars().all(char::is_alphanumeric)) {
        // The value is empty. This word is the next parameter.
        return (String::new(), trimmed);
    }
    while is_scope && let Some(length) = start.get(end..).and_then(action) {
        end += length;
    }
    let (value, rest) = start.split_at(end);
    (value.trim_end_matches(['"', '\'']).to_owned(), rest)
}

/// Returns the length of a comma and an action, such as `,push`, at the start of `text`.
fn action(text: &str) -> Option<usize> {
    let text = text.strip_prefix(',')?;
    let end = text.find(ends_value).unwrap_or(text.len());
    let word = text.get(..end)?;
    let is_action = !word.is_empty()
        && word
            .chars()
            .all(|c| c.is_ascii_lowercase() || matches!(c, '*' | '_'))
        && !SCHEMES.contains(&word);
    is_action.then_some(1 + end)
}

/// Returns the text up to the closing quote, without escapes, and the text after the quote.
fn unquote(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '"' => return Some((value, characters.as_str())),
            '\\' => value.push(characters.next()?),
            character => value.push(character),
        }
    }
    None
}

fn is_delimiter(character: char) -> bool {
    character.is_whitespace() || matches!(character, ',' | ';' | '"' | '\'')
}

fn ends_value(character: char) -> bool {
    character.is_whitespace() || matches!(character, ',' | ';')
}

#[cfg(test)]
#[path = "tests/scan.rs"]
mod tests;
