//! Parsing the header `Link` (RFC 8288), also in forms that its grammar does not allow.

/// Returns the target of the first link to the next page in the value of a header `Link`. A link without a relation
/// counts if `is_list` returns `true` for its target.
pub(super) fn next_target(header: &str, is_list: impl Fn(&str) -> bool) -> Option<String> {
    let mut rest = header;
    while !rest.is_empty() {
        let (target, parameters) = split_target(rest);
        let (parameters, others) = split_outside_quotes(parameters, ',');
        let is_next = match relation(parameters) {
            Some(relation) => names_next(relation),
            None => is_list(target),
        };
        if is_next {
            return Some(target.to_owned());
        }
        rest = others;
    }
    None
}

/// Splits a link into its target and the rest. A target without angle brackets ends before its parameters.
fn split_target(link: &str) -> (&str, &str) {
    let link = link.trim_start();
    let in_brackets = link.strip_prefix('<').and_then(|link| link.split_once('>'));
    let (target, rest) = in_brackets.unwrap_or_else(|| {
        let end = link.find([';', ',']).unwrap_or(link.len());
        link.split_at(end)
    });
    let is_mark = |mark: char| mark.is_whitespace() || matches!(mark, '<' | '>' | '"' | '\'');
    (target.trim_matches(is_mark), rest)
}

/// Returns the value of the first parameter `rel`.
fn relation(mut parameters: &str) -> Option<&str> {
    while !parameters.is_empty() {
        let (parameter, rest) = split_outside_quotes(parameters, ';');
        if let Some((name, value)) = parameter.split_once('=')
            && name.trim().eq_ignore_ascii_case("rel")
        {
            return Some(value);
        }
        parameters = rest;
    }
    None
}

fn names_next(relation: &str) -> bool {
    let is_mark = |mark: char| mark.is_whitespace() || matches!(mark, '"' | '\'' | ',');
    let mut names = relation.split(is_mark);
    names.any(|name| name.eq_ignore_ascii_case("next"))
}

/// Splits `text` at the first `separator` outside of quotes.
fn split_outside_quotes(text: &str, separator: char) -> (&str, &str) {
    let (mut quoted, mut escaped) = (false, false);
    for (at, character) in text.char_indices() {
        if escaped {
            escaped = false;
        } else if quoted && character == '\\' {
            escaped = true;
        } else if character == '"' {
            quoted = !quoted;
        } else if character == separator && !quoted {
            let (before, rest) = text.split_at(at);
            return (before, rest.strip_prefix(separator).unwrap_or_default());
        }
    }
    (text, "")
}

#[cfg(test)]
#[path = "tests/link.rs"]
mod tests;
