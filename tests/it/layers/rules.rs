//! The rules for one file, and the messages for violations.

use super::source::Source;

/// Each layer with the layers that its files may use.
pub(crate) const LAYERS: [(&str, &[&str]); 6] = [
    ("content", &["content"]),
    ("archive", &["content", "archive"]),
    ("oci", &["content", "oci"]),
    ("cache", &["content", "cache"]),
    ("client", &["content", "archive", "oci", "cache", "client"]),
    (
        "cli",
        &["content", "archive", "oci", "cache", "client", "cli"],
    ),
];

/// The largest number of lines in a file.
const MAX_LINES: usize = 400;

/// File names that do not say what a file is about.
const MEANINGLESS_NAMES: [&str; 6] = ["utils", "util", "helpers", "helper", "common", "misc"];

/// Returns a message for each rule that the file breaks.
pub(crate) fn violations(source: &Source) -> Vec<String> {
    let mut found = Vec::new();
    found.extend(imports(source));
    found.extend(places(source).into_iter().map(str::to_owned));
    if source.lines > MAX_LINES {
        found.push(format!("has {} lines; at most {MAX_LINES}", source.lines));
    }
    for name in source
        .module()
        .iter()
        .filter(|name| MEANINGLESS_NAMES.contains(name))
    {
        found.push(format!(
            "the name `{name}` has no meaning: name the file for what it is about"
        ));
    }
    found
        .iter()
        .map(|violation| format!("src/{}: {violation}", source.path))
        .collect()
}

fn imports(source: &Source) -> Vec<String> {
    let (this, allowed): (_, &[&str]) = match (source.path.as_str(), source.layer()) {
        ("lib.rs", _) => return Vec::new(),
        ("main.rs", _) => ("main.rs", &["cli"]),
        (_, layer) => match LAYERS.iter().find(|(name, _)| Some(*name) == layer) {
            Some((name, allowed)) => (*name, *allowed),
            None => return vec!["is not in a layer".to_owned()],
        },
    };
    let is_layer = |name: &str| LAYERS.iter().any(|(layer, _)| *layer == name);
    let mut found = Vec::new();
    for name in source.uses() {
        match name.as_str() {
            name if allowed.contains(&name) => {}
            "*" => found.push("imports everything from the crate's root: name the layer".into()),
            "as" => found.push("gives the crate's root another name".into()),
            name if is_layer(name) => found.push(format!("`{this}` may not use `{name}`")),
            name => found.push(format!(
                "`crate::{name}` is not a layer: re-exports at the root are for users of the crate"
            )),
        }
    }
    found
}

/// Checks for code that belongs in one file or one layer only.
fn places(source: &Source) -> Vec<&'static str> {
    let mut found = Vec::new();
    let path = source.path.as_str();
    let layer = source.layer();
    let called = |name| {
        source
            .follows(name, "(")
            .any(|before| !matches!(before, "." | "fn"))
    };
    let printed = |name| source.follows(name, "!").next().is_some();

    if !(layer == Some("cli") || path == "main.rs") {
        if source.mentions("anyhow") {
            found.push("`anyhow` only in cli/: the library has errors with types");
        }
        if ["print", "println", "eprint", "eprintln"]
            .into_iter()
            .any(printed)
        {
            found.push("printing only in cli/");
        }
        if called("exit") {
            found.push("`process::exit` only in cli/");
        }
    }
    if layer == Some("archive") {
        if path != "archive/provider_archive.rs" && source.follows("async", "fn").next().is_some() {
            found.push("`async fn` in archive/ only in provider_archive.rs");
        }
        if source.mentions("reqwest") || source.mentions("net") {
            found.push("no network in archive/");
        }
    }
    let is_layout_in_a_tar = path.starts_with("oci/layout_file/");
    if layer == Some("oci") && !is_layout_in_a_tar && source.follows("tar", "::").next().is_some() {
        found.push("oci/ knows media types, not tar, except for a layout in a tar");
    }
    if !matches!(path, "content/atomic.rs" | "content/temporary.rs") && !source.is_test() {
        let persists = ["persist", "persist_noclobber"]
            .into_iter()
            .any(|name| source.follows(name, "(").any(|before| before == "."));
        if persists || called("rename") {
            found.push(
                "files get their final names in content/atomic.rs and content/temporary.rs only",
            );
        }
    }
    found
}
