//! The library does not name flags or commands of `par`: only the command line knows them.

use std::fs;
use std::path::Path;

/// Returns the lines of a text that name a flag, such as `--output`, or a command, such as `par push`.
fn mentions(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let lines = (1..).zip(text.lines());
    lines.filter(|(_, line)| {
        // A comment may cite the flags of other programs as the source of a rule.
        let comment = line.trim_start().starts_with("//");
        line.contains("`par ") || (!comment && names_flag(line))
    })
}

fn names_flag(line: &str) -> bool {
    line.match_indices("--").any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + 2..].chars().next();
        !before.is_some_and(|before| before == '-' || before.is_alphanumeric())
            && after.is_some_and(|after| after.is_ascii_lowercase())
    })
}

/// Collects the mentions in all files below `directory`, except in the layer of the command line.
fn collect(root: &Path, directory: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path == root.join("cli") {
            continue;
        }
        if path.is_dir() {
            collect(root, &path, found);
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let name = path.strip_prefix(root).unwrap().display();
        found.extend(mentions(&text).map(|(number, line)| format!("src/{name}:{number}: {line}")));
    }
}

#[test]
fn the_library_names_no_flags_and_no_commands() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../src");
    let mut found = Vec::new();
    collect(&root, &root, &mut found);
    assert!(found.is_empty(), "\n{}\n", found.join("\n"));
}

#[test]
fn flags_and_commands_are_found_in_text() {
    for line in [
        r#""give --issuer""#,
        r#"    format!("{path}: see --output")"#,
        "// `par push` sets it",
    ] {
        assert_eq!(mentions(line).count(), 1, "{line}");
    }
    for line in [
        "// ----- next",
        "a--b",
        "`provider.par` is an archive",
        "x - -y",
        "/// Like `docker run --pull=always`",
    ] {
        assert_eq!(mentions(line).count(), 0, "{line}");
    }
}
