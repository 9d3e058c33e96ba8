//! A source file: its tokens without comments and literals, its place in the tree of modules, and the
//! paths in it that begin at the root of the crate.

use std::iter;

/// One file of `src/`.
pub(crate) struct Source {
    /// Relative to `src/`.
    pub(crate) path: String,
    pub(crate) lines: usize,
    /// Names, `::`, and every other character by itself.
    tokens: Vec<String>,
}

impl Source {
    pub(crate) fn new(path: &str, text: &str) -> Self {
        Self {
            path: path.to_owned(),
            lines: text.lines().count(),
            tokens: tokens(text),
        }
    }

    /// Names, `::`, and every other character by itself.
    pub(crate) fn tokens(&self) -> &[String] {
        &self.tokens
    }

    /// The path of the file's module: `[oci, registry]` for `oci/registry/mod.rs`. The unit tests of
    /// `oci/names.rs` are in `oci/tests/names.rs`, and their module is `[oci, names, tests]`.
    pub(crate) fn module(&self) -> Vec<&str> {
        let path = self.path.trim_end_matches(".rs");
        let path = path.strip_suffix("/mod").unwrap_or(path);
        let mut module: Vec<&str> = path
            .split('/')
            .filter(|name| !["lib", "main"].contains(name))
            .collect();
        if let [.., directory, file] = module.as_mut_slice()
            && *directory == "tests"
        {
            std::mem::swap(directory, file);
        }
        module
    }

    /// Whether the file has unit tests only.
    pub(crate) fn is_test(&self) -> bool {
        self.path.ends_with("/tests.rs") || self.path.contains("/tests/")
    }

    /// The outermost module; `None` for the root of the crate.
    pub(crate) fn layer(&self) -> Option<&str> {
        self.module().first().copied()
    }

    /// The modules that the file declares.
    pub(crate) fn modules(&self) -> Vec<String> {
        let declared = self
            .tokens
            .windows(3)
            .filter(|three| three[0] == "mod" && three[2] == ";");
        declared.map(|three| three[1].clone()).collect()
    }

    /// Whether the name occurs in the code.
    pub(crate) fn mentions(&self, name: &str) -> bool {
        self.tokens.iter().any(|token| token == name)
    }

    /// Whether the file has methods of a type, which it may name by a path.
    pub(crate) fn implements(&self, name: &str) -> bool {
        let named = self
            .tokens
            .iter()
            .enumerate()
            .filter(|(_, token)| *token == name);
        named.into_iter().any(|(at, _)| {
            let is_path = |token: &&String| *token == "::" || token.chars().all(is_name);
            let mut before = self.tokens[..at].iter().rev().take_while(is_path);
            let after = self.tokens.get(at + 1);
            after.is_some_and(|token| token == "{")
                && before
                    .find(|token| ["impl", "for"].contains(&token.as_str()))
                    .is_some_and(|token| token == "impl")
        })
    }

    /// Finds `second` directly after `first`, and returns the token before each pair.
    pub(crate) fn follows(&self, first: &str, second: &str) -> impl Iterator<Item = &str> {
        let pairs = self.tokens.windows(2).enumerate();
        pairs
            .filter(move |(_, pair)| pair[0] == first && pair[1] == second)
            .map(|(at, _)| {
                at.checked_sub(1)
                    .map_or("", |before| self.tokens[before].as_str())
            })
    }

    /// The first name of each path that leads through the root of the crate: `*` for a glob import of
    /// the root, `as` for an alias of it.
    pub(crate) fn uses(&self) -> Vec<String> {
        let mut found = Vec::new();
        let mut module: Vec<String> = self.module().into_iter().map(str::to_owned).collect();
        // For each open brace, whether it is that of an inline module.
        let mut braces = Vec::new();
        for (at, token) in self.tokens.iter().enumerate() {
            let before = |back: usize| at.checked_sub(back).map_or("", |at| &self.tokens[at]);
            match token.as_str() {
                "{" => {
                    let inline = before(2) == "mod";
                    if inline {
                        module.push(before(1).to_owned());
                    }
                    braces.push(inline);
                }
                "}" => {
                    let inline = braces.pop() == Some(true);
                    module.truncate(module.len() - usize::from(inline));
                }
                // The walk over a longer path covers the paths inside it.
                "crate" | "wasmcloud_par" | "super" | "self"
                    if before(1) != "::" && !self.begins_in_a_group(at) =>
                {
                    self.walk(at, &module, &mut found);
                }
                _ => {}
            }
        }
        found
    }

    /// Whether a token is in the braces of a path like `a::{b, super::c}`, which is walked from `a`.
    fn begins_in_a_group(&self, at: usize) -> bool {
        let mut depth = 0;
        for before in (0..at).rev() {
            match self.tokens[before].as_str() {
                ";" => return false,
                "}" => depth += 1,
                "{" if depth > 0 => depth -= 1,
                "{" => return before > 0 && self.tokens[before - 1] == "::",
                _ => {}
            }
        }
        false
    }

    /// Follows a path, or a group of paths, from the module that contains it. Returns the token after it.
    fn walk(&self, mut at: usize, from: &[String], found: &mut Vec<String>) -> usize {
        let mut module = from.to_vec();
        // Without a keyword at its beginning, a path leads to another crate or to a name in scope.
        let mut arrived = false;
        while let Some(token) = self.tokens.get(at) {
            match token.as_str() {
                "crate" | "wasmcloud_par" => module.clear(),
                "super" => drop(module.pop()),
                "self" => {}
                "{" => {
                    at += 1;
                    while self.tokens.get(at).is_some_and(|token| token != "}") {
                        at = self.walk(at, &module, found);
                        at += usize::from(self.tokens.get(at).is_some_and(|token| token == ","));
                    }
                    return at + 1;
                }
                name => {
                    if module.is_empty() && !arrived {
                        found.push(name.to_owned());
                    }
                    arrived = true;
                    module.push(name.to_owned());
                }
            }
            at += 1;
            match self.tokens.get(at).map(String::as_str) {
                Some("::") => at += 1,
                Some("as") => {
                    if module.is_empty() {
                        found.push("as".to_owned());
                    }
                    return at + 2;
                }
                _ => return at,
            }
        }
        at
    }
}

fn tokens(text: &str) -> Vec<String> {
    let characters: Vec<char> = text.chars().collect();
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(&character) = characters.get(at) {
        let rest = &characters[at..];
        let length = if let Some(length) = comment_or_literal(rest) {
            length
        } else if is_name(character) {
            let length = rest
                .iter()
                .take_while(|character| is_name(**character))
                .count();
            tokens.push(rest[..length].iter().collect());
            length
        } else if rest.starts_with(&[':', ':']) {
            tokens.push("::".to_owned());
            2
        } else {
            if !character.is_whitespace() {
                tokens.push(character.to_string());
            }
            1
        };
        at += length;
    }
    tokens
}

fn is_name(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// The length of the comment, string or character that the text begins with.
fn comment_or_literal(text: &[char]) -> Option<usize> {
    match text {
        ['/', '/', ..] => Some(
            text.iter()
                .take_while(|character| **character != '\n')
                .count(),
        ),
        ['/', '*', ..] => Some(block_comment(text)),
        ['"', ..] => Some(quoted(text, '"')),
        // A lifetime has no second quote.
        ['\'', '\\', ..] => Some(quoted(text, '\'')),
        ['\'', _, '\'', ..] => Some(3),
        // Byte and C strings, raw or not; no name ends in front of a quote.
        ['b' | 'c', rest @ ..] if matches!(rest, ['"', ..] | ['r', '"' | '#', ..]) => {
            comment_or_literal(rest).map(|length| length + 1)
        }
        ['r', rest @ ..] => {
            let hashes = rest
                .iter()
                .take_while(|character| **character == '#')
                .count();
            (rest.get(hashes) == Some(&'"')).then(|| raw(rest, hashes) + 1)
        }
        _ => None,
    }
}

fn quoted(text: &[char], quote: char) -> usize {
    let mut at = 1;
    while let Some(&character) = text.get(at) {
        match character {
            '\\' => at += 2,
            character if character == quote => return at + 1,
            _ => at += 1,
        }
    }
    text.len()
}

fn raw(text: &[char], hashes: usize) -> usize {
    let end: Vec<char> = iter::once('"').chain(iter::repeat_n('#', hashes)).collect();
    let content = &text[hashes + 1..];
    let length = content.windows(end.len()).position(|window| window == end);
    length.map_or(text.len(), |length| hashes + 1 + length + end.len())
}

/// Block comments nest.
fn block_comment(text: &[char]) -> usize {
    let (mut at, mut depth) = (0, 0);
    while at < text.len() {
        match &text[at..] {
            ['/', '*', ..] => (at, depth) = (at + 2, depth + 1),
            ['*', '/', ..] => (at, depth) = (at + 2, depth - 1),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}
