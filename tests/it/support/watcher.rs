//! Ends a child process when the test process is gone.

use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// A shell that waits for its standard input to close, which the kernel sees to however this process
/// ends; then it kills the child and removes its folder.
///
/// Values in statics are never dropped, and neither is anything when a process is killed. Linux could
/// tie the child to its parent, but only with `unsafe`, and to the thread that started it: for a test
/// that is a thread of its own.
pub(crate) struct Watcher(Child);

const SCRIPT: &str = r#"read -r dismissed || { kill -KILL "$1"; rm -rf "$2"; }"#;

impl Watcher {
    /// Watches over a process and the folder it works in.
    pub(crate) fn new(process: u32, folder: &Path) -> Self {
        let shell = Command::new("/bin/sh")
            .args(["-c", SCRIPT, "watcher", &process.to_string()])
            .arg(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // Control-C at the terminal must reach the tests, not who cleans up after them.
            .process_group(0)
            .spawn()
            .expect("a shell to watch over a child process");
        Self(shell)
    }
}

impl Drop for Watcher {
    /// Dismisses the shell: the child is dead, and its process id may soon be another's.
    fn drop(&mut self) {
        if let Some(mut input) = self.0.stdin.take() {
            // Should the shell be gone already, there is nobody left to dismiss.
            let _ = input.write_all(b"dismissed\n");
        }
        let _ = self.0.wait();
    }
}
