//! Bad input of every kind gives the right exit code and one clear message, and leaves no files behind.

mod archives;
mod denied;
mod files;
mod keys;
mod misplaced_seeds;
mod references;
mod usage;

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::process::Command;

use serde_json::Value;
use wasmcloud_par::content::Digest;

use crate::support::{Environment, Outcome};

/// How a command must refuse its input.
#[derive(Clone, Copy)]
struct Refusal<'a> {
    code: i32,
    /// What the message must contain: what failed, on what, and why.
    message: &'a [&'a str],
    /// What the hint must contain. Empty: no hint is needed.
    hint: &'a str,
}

impl Refusal<'_> {
    fn kind(&self) -> &'static str {
        match self.code {
            2 => "usage",
            3 => "not_found",
            4 => "denied",
            5 => "not_verified",
            6 => "unavailable",
            code => panic!("bad input never ends with {code}"),
        }
    }

    /// Asserts that `par` refuses these arguments.
    #[track_caller]
    fn of<A: AsRef<OsStr>>(&self, environment: &Environment, arguments: &[A]) {
        self.of_command(environment, || {
            let mut command = environment.command();
            command.args(arguments);
            command
        });
    }

    /// Asserts that a command refuses its input, in both formats of the output.
    #[track_caller]
    fn of_command(&self, environment: &Environment, command: impl Fn() -> Command) {
        let before = contents(environment);
        let text = Outcome::of(command(), b"");
        let mut with_json = command();
        with_json.args(["-o", "json"]);
        let json = Outcome::of(with_json, b"");
        self.check_text(&text);
        self.check_json(&json);
        for outcome in [&text, &json] {
            let all = format!("{}{}", outcome.stdout, outcome.stderr);
            for trace in ["panicked", "RUST_BACKTRACE", "src/", "\u{1b}"] {
                assert!(
                    !all.contains(trace),
                    "{trace:?} in the output of\n{outcome}"
                );
            }
        }
        assert_eq!(before, contents(environment), "files changed by\n{text}");
        only_verified_files_are_cached(environment);
    }

    #[track_caller]
    fn check_text(&self, outcome: &Outcome) {
        let stderr = &outcome.stderr;
        assert_eq!(outcome.code, self.code, "{outcome}");
        assert_eq!(outcome.stdout, "", "{outcome}");
        assert!(stderr.starts_with("error: "), "{outcome}");
        let errors = stderr.lines().filter(|line| line.starts_with("error: "));
        assert_eq!(errors.count(), 1, "{outcome}");
        for part in self.message {
            assert!(stderr.contains(part), "no {part:?} in\n{outcome}");
        }
        // clap prints tips in its own format.
        let hint = stderr.split_once("\nhint: ").map(|(_, hint)| hint);
        let hint = hint.or_else(|| Some(stderr.split_once("\n\n")?.1));
        assert!(hint.unwrap_or("").contains(self.hint), "{outcome}");
    }

    #[track_caller]
    fn check_json(&self, outcome: &Outcome) {
        assert_eq!(outcome.code, self.code, "{outcome}");
        assert_eq!(outcome.stderr, "", "{outcome}");
        outcome.line();
        let object = outcome.json();
        assert_eq!(keys(&object), ["error", "success", "warnings"], "{outcome}");
        assert_eq!(object["success"], false, "{outcome}");
        let error = &object["error"];
        assert_eq!(keys(error), ["hint", "kind", "message"], "{outcome}");
        assert_eq!(error["kind"], self.kind(), "{outcome}");
        let message = error["message"].as_str().unwrap();
        assert!(!message.contains('\n'), "{outcome}");
        for part in self.message {
            assert!(message.contains(part), "no {part:?} in\n{outcome}");
        }
        let hint = error["hint"].as_str().unwrap_or("");
        assert!(hint.contains(self.hint), "{outcome}");
    }
}

fn keys(object: &Value) -> Vec<&String> {
    object.as_object().unwrap().keys().collect()
}

/// Returns every file outside the cache, with its bytes if it can be read.
fn contents(environment: &Environment) -> BTreeMap<String, Option<Vec<u8>>> {
    let home = environment.home();
    let root = home.parent().unwrap();
    let files = environment.files().into_iter();
    files
        .filter(|name| !name.starts_with("home/.cache/wasmcloud-par/"))
        .map(|name| {
            let bytes = fs::read(root.join(&name)).ok();
            (name, bytes)
        })
        .collect()
}

/// Asserts that every file in the cache has the digest in its name, and that bad input has left no executable
/// there.
fn only_verified_files_are_cached(environment: &Environment) {
    let home = environment.home();
    let root = home.parent().unwrap();
    for name in environment.files() {
        let Some((_, cached)) = name.split_once("/wasmcloud-par/v1/") else {
            continue;
        };
        assert!(!cached.starts_with("executables/"), "{name}");
        if cached.starts_with("partial/") {
            // An empty file is the lock of a download.
            assert_eq!(fs::metadata(root.join(&name)).unwrap().len(), 0, "{name}");
        }
        if let Some(hex) = cached.strip_prefix("blobs/sha256/") {
            let bytes = fs::read(root.join(&name)).unwrap();
            assert_eq!(hex, Digest::of(&bytes).hex(), "{name}");
        }
    }
}
