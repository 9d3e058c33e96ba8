//! Tests of the command line: arguments in, and output, exit code and files out.

mod bad_input;
mod interruption;
mod login;
mod manual;
mod packing;
pub(crate) mod reading;

use nkeys::KeyPair;
use serde_json::Value;

use crate::support::Environment;
use crate::support::archives::ArchiveBuilder;

/// Replaces text that differs between runs with placeholders: keys, hashes and the directories of the test.
fn normalized(text: &str, environment: &Environment) -> String {
    let home = environment.home();
    let root = home.parent().unwrap().display().to_string();
    let text = text.replace(&root, "[ROOT]");
    let mut normalized = String::new();
    let mut rest = text.as_str();
    while let Some(first) = rest.chars().next() {
        let word = rest.len()
            - rest
                .trim_start_matches(|character: char| character.is_ascii_alphanumeric())
                .len();
        let length = word.max(first.len_utf8());
        let (part, after) = rest.split_at(length);
        normalized.push_str(match (part.len(), first) {
            (56, 'A') => "[ACCOUNT]",
            (56, 'V') => "[SERVICE]",
            (64, _) => "[HASH]",
            _ => part,
        });
        rest = after;
    }
    normalized
}

/// Packs a valid archive with this name in the current directory, and returns the seed of its issuer.
fn good_archive(environment: &Environment, name: &str) -> String {
    let (issuer, subject) = (KeyPair::new_account(), KeyPair::new_service());
    let seed = issuer.seed().unwrap();
    let builder = ArchiveBuilder::two_targets().keys(issuer, subject);
    let bytes = if name.ends_with(".gz") {
        builder.build_gzip()
    } else {
        builder.build()
    };
    environment.write(name, bytes);
    seed
}

/// Returns an answer of `par inspect -o json` without the fields that every new signature or every change of an
/// executable changes.
fn lasting(mut answer: Value) -> Value {
    for key in ["executables", "signed", "size"] {
        answer.as_object_mut().unwrap().remove(key).unwrap();
    }
    answer
}

/// Returns the permission bits of a file or directory.
fn mode(path: &std::path::Path) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}
