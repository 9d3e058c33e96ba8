//! The modules of the crate, and resolving the paths in them.

use std::collections::{BTreeMap, BTreeSet};

use super::source::Source;

/// The names of a module and of the modules around it: `[oci, registry]`.
pub(crate) type ModulePath = Vec<String>;

/// One module: a file, or an inline module of a file.
#[derive(Default)]
pub(crate) struct Module {
    /// The file, relative to `src/`.
    pub(crate) file: String,
    /// Whether the module contains anything besides `mod` and `use`.
    pub(crate) has_code: bool,
    /// The names of the functions, types, constants and macros that the module defines.
    items: BTreeSet<String>,
    /// The path behind each name that a `use` brings into scope.
    imports: BTreeMap<String, Import>,
    /// The paths before `::*`.
    globs: Vec<Vec<String>>,
    /// The paths in the code, as they are written.
    mentions: BTreeSet<Vec<String>>,
}

struct Import {
    path: Vec<String>,
    is_public: bool,
}

/// Every module of the crate, without its tests.
pub(crate) struct Modules(BTreeMap<ModulePath, Module>);

/// The target of a path.
enum Target {
    Module(ModulePath),
    /// An item with this name that the module defines.
    Item(ModulePath, String),
}

impl Modules {
    pub(crate) fn new(sources: &[Source]) -> Self {
        let mut modules = BTreeMap::new();
        let mut tests = Vec::new();
        for source in sources.iter().filter(|source| !source.is_test()) {
            let (tokens, test_modules) = without_tests(source.tokens());
            let path: ModulePath = source.module().into_iter().map(str::to_owned).collect();
            tests.extend(test_modules.into_iter().map(|name| child(&path, &name)));
            let mut parser = Parser {
                file: &source.path,
                tokens: &tokens,
                modules: &mut modules,
            };
            parser.parse(&path, 0, tokens.len());
        }
        modules.retain(|path, _| !tests.iter().any(|test| path.starts_with(test)));
        Self(modules)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&ModulePath, &Module)> {
        self.0.iter()
    }

    /// Returns the modules that `path` uses, each with the used name. A re-export is a use only if the module mentions
    /// the name itself.
    pub(crate) fn uses(&self, path: &ModulePath) -> Vec<(&Module, String)> {
        let module = &self.0[path];
        let imported = module.imports.values().filter(|import| !import.is_public);
        let paths = imported
            .map(|import| &import.path)
            .chain(&module.mentions)
            .filter_map(|used| match self.resolve(path, used, false, 0)? {
                Target::Item(definer, name) => Some((self.0.get(&definer)?, name)),
                Target::Module(_) => None,
            });
        paths.collect()
    }

    /// Follows a path that is written in the module `from`. `as_module`: more follows after the path,
    /// so that of a module and an item with the same name the module is meant.
    fn resolve(
        &self,
        from: &[String],
        path: &[String],
        as_module: bool,
        steps: u8,
    ) -> Option<Target> {
        let mut module = from.to_vec();
        let keywords = path.iter().take_while(|name| {
            match name.as_str() {
                "crate" | "wasmcloud_par" => module.clear(),
                "super" => drop(module.pop()),
                "self" => {}
                _ => return false,
            }
            true
        });
        let keywords = keywords.count();
        for (at, name) in path.iter().enumerate().skip(keywords) {
            let is_last = at + 1 == path.len();
            match self.member(&module, name, as_module || !is_last, steps) {
                Some(Target::Module(inner)) => module = inner,
                Some(item) => return Some(item),
                // A name that is not in scope belongs to another crate.
                None if at == 0 => return None,
                // A macro may define the name.
                None => return Some(Target::Item(module, name.clone())),
            }
        }
        Some(Target::Module(module))
    }

    /// Returns what `name` means inside a module.
    fn member(&self, path: &[String], name: &str, as_module: bool, steps: u8) -> Option<Target> {
        let inner = child(path, name);
        let inner = self.0.contains_key(&inner).then_some(Target::Module(inner));
        if inner.is_some() && as_module {
            return inner;
        }
        let Some(module) = self.0.get(path) else {
            return inner;
        };
        if module.items.contains(name) {
            return Some(Target::Item(path.to_vec(), name.to_owned()));
        }
        // Re-exports can lead back to where they begin.
        let steps = steps.checked_add(1).filter(|steps| *steps < 32)?;
        if let Some(import) = module.imports.get(name) {
            let target = self.resolve(path, &import.path, as_module, steps);
            return target.or(inner);
        }
        let globs =
            module
                .globs
                .iter()
                .filter_map(|glob| match self.resolve(path, glob, true, steps)? {
                    Target::Module(module) => self.member(&module, name, as_module, steps),
                    Target::Item(..) => None,
                });
        inner.or_else(|| globs.into_iter().next())
    }
}

fn child(path: &[String], name: &str) -> ModulePath {
    path.iter().cloned().chain([name.to_owned()]).collect()
}

/// Reads the tokens of one file into modules.
struct Parser<'a> {
    file: &'a str,
    tokens: &'a [String],
    modules: &'a mut BTreeMap<ModulePath, Module>,
}

impl Parser<'_> {
    /// Reads the module `path`, whose body is the tokens from `at` to `end`.
    fn parse(&mut self, path: &ModulePath, mut at: usize, end: usize) {
        let mut module = Module {
            file: self.file.to_owned(),
            ..Module::default()
        };
        let mut depth = 0_usize;
        let mut is_public = false;
        while at < end {
            let was_public = std::mem::take(&mut is_public);
            let next = self.token(at + 1);
            match self.token(at) {
                "#" => at = closing(self.tokens, at + 1 + usize::from(next == "!")),
                "pub" => {
                    is_public = true;
                    if next == "(" {
                        at = closing(self.tokens, at + 1);
                    }
                }
                "mod" if self.token(at + 2) == ";" => at += 2,
                "mod" if self.token(at + 2) == "{" => {
                    let close = closing(self.tokens, at + 2);
                    self.parse(&child(path, next), at + 3, close);
                    at = close;
                }
                "use" if next != "<" => at = self.import(at + 1, &[], was_public, &mut module),
                token => {
                    module.has_code = true;
                    match token {
                        "{" | "(" | "[" => depth += 1,
                        "}" | ")" | "]" => depth -= 1,
                        "fn" | "struct" | "enum" | "trait" | "type" | "const" | "static" => {
                            if depth == 0 && next != "fn" {
                                module.items.insert(next.to_owned());
                            }
                            at += usize::from(token == "fn" && next != "(");
                        }
                        "macro_rules" if next == "!" => {
                            module.items.insert(self.token(at + 2).to_owned());
                        }
                        _ => at = self.mention(at, &mut module),
                    }
                }
            }
            at += 1;
        }
        self.modules.insert(path.clone(), module);
    }

    fn token(&self, at: usize) -> &str {
        self.tokens.get(at).map_or("", String::as_str)
    }

    /// Reads the path that begins at a name in the code. Returns its last token.
    fn mention(&self, mut at: usize, module: &mut Module) -> usize {
        let before = at.checked_sub(1).map_or("", |before| self.token(before));
        let is_name = |token: &str| token.starts_with(|c: char| c.is_alphabetic() || c == '_');
        if !is_name(self.token(at)) {
            return at;
        }
        let mut path = vec![self.token(at).to_owned()];
        while self.token(at + 1) == "::" && is_name(self.token(at + 2)) {
            path.push(self.token(at + 2).to_owned());
            at += 2;
        }
        if before != "." && before != "::" {
            module.mentions.insert(path);
        }
        at
    }

    /// Reads one branch of the tree of a `use`. Returns the token after it.
    fn import(
        &self,
        mut at: usize,
        above: &[String],
        is_public: bool,
        module: &mut Module,
    ) -> usize {
        let mut path = above.to_vec();
        loop {
            match self.token(at) {
                "::" => {}
                "{" => {
                    let close = closing(self.tokens, at);
                    at += 1;
                    while at < close {
                        at = self.import(at, &path, is_public, module);
                        at += usize::from(self.token(at) == ",");
                    }
                    return close + 1;
                }
                "*" => {
                    module.globs.push(path);
                    return at + 1;
                }
                "self" if !path.is_empty() => {}
                "" | "," | ";" | "}" | "as" => break,
                name => path.push(name.to_owned()),
            }
            at += 1;
        }
        let mut name = path.last().cloned().unwrap_or_default();
        if self.token(at) == "as" {
            name = self.token(at + 1).to_owned();
            at += 2;
        }
        // Several traits can be imported as `_`.
        if name == "_" {
            name = path.join("::");
        }
        module.imports.insert(name, Import { path, is_public });
        at
    }
}

/// The bracket that closes the one at `open`, or the end.
fn closing(tokens: &[String], open: usize) -> usize {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate().skip(open) {
        match token.as_str() {
            "{" | "(" | "[" => depth += 1,
            "}" | ")" | "]" => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at;
        }
    }
    tokens.len()
}

/// Returns the tokens without the items behind `#[cfg(test)]`, and the names of the modules among those items.
fn without_tests(tokens: &[String]) -> (Vec<String>, Vec<String>) {
    let (mut kept, mut modules) = (Vec::new(), Vec::new());
    let mut at = 0;
    while at < tokens.len() {
        let token = |ahead: usize| tokens.get(at + ahead).map_or("", String::as_str);
        if token(0) != "#" || token(1) != "[" {
            kept.push(tokens[at].clone());
            at += 1;
            continue;
        }
        let close = closing(tokens, at + 1);
        let attribute = &tokens[at..close.min(tokens.len())];
        let has = |name: &str| attribute.iter().any(|token| token == name);
        if token(2) == "cfg" && has("test") && !has("not") {
            at = item_end(tokens, close + 1, &mut modules);
        } else {
            kept.extend(attribute.iter().cloned());
            kept.extend(tokens.get(close).cloned());
            at = close + 1;
        }
    }
    (kept, modules)
}

/// The token after the item, field or variant that begins at `at`.
fn item_end(tokens: &[String], mut at: usize, modules: &mut Vec<String>) -> usize {
    // A body in braces ends an item, but not a `use` or a constant.
    let mut ends_with_brace = true;
    while let Some(token) = tokens.get(at) {
        match token.as_str() {
            "}" | ")" | "]" => return at,
            ";" | "," => return at + 1,
            "use" | "const" | "static" => ends_with_brace = false,
            "fn" => ends_with_brace = true,
            "mod" => modules.extend(tokens.get(at + 1).cloned()),
            "{" | "(" | "[" => {
                let is_body = token == "{" && ends_with_brace;
                at = closing(tokens, at);
                if is_body {
                    return at + 1;
                }
            }
            _ => {}
        }
        at += 1;
    }
    at
}
