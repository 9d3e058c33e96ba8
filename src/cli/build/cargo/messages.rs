//! The messages of cargo about what it has built.

use std::path::{Path, PathBuf};

use serde::Deserialize;

/// A message of `cargo build --message-format json`. Other messages and keys are ignored.
#[derive(Deserialize)]
struct Message {
    reason: String,
    #[serde(default)]
    package_id: String,
    target: Option<MessageTarget>,
    executable: Option<PathBuf>,
}

#[derive(Deserialize)]
struct MessageTarget {
    name: String,
    kind: Vec<String>,
}

/// Returns the executable that a line of cargo's output announces, if it is the binary with this name of this
/// package.
pub(super) fn executable(line: &[u8], package: &str, binary: &str) -> Option<PathBuf> {
    // Lines that are not messages are ignored: programs that cargo starts may print them.
    let message: Message = serde_json::from_slice(line).ok()?;
    let target = message.target?;
    let is_wanted = message.reason == "compiler-artifact"
        && message.package_id == package
        && target.name == binary
        && target.kind.iter().any(|kind| kind == "bin");
    message.executable.filter(|_| is_wanted)
}

/// Returns the triple of an executable that cargo has built: the name of the directory between `target_directory` and
/// the directory of the profile. `None`: there is none, so the triple is the machine's own.
pub(super) fn triple(executable: &Path, target_directory: &Path) -> Option<String> {
    let within = executable.strip_prefix(target_directory).ok()?;
    let parts: Vec<_> = within.iter().collect();
    match parts.as_slice() {
        [triple, _profile, _file] => Some(triple.to_string_lossy().into_owned()),
        _ => None,
    }
}

#[cfg(test)]
#[path = "tests/messages.rs"]
mod tests;
