//! Ends a child process when the test process is gone.

use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// A shell that kills a child and removes its directory once its own standard input is closed. The kernel closes
/// that at the end of this process, even if the process is killed.
///
/// Dropping the child is not enough: values in statics are never dropped. Linux could tie the child to its
/// parent, but only with `unsafe`, and to the thread that has started it, which is that of a single test.
pub(crate) struct Watcher(Child);

const SCRIPT: &str = r#"read -r dismissed || { kill -KILL "$1"; rm -rf "$2"; }"#;

impl Watcher {
    /// Watches a process and its directory.
    pub(crate) fn new(process: u32, directory: &Path) -> Self {
        let shell = Command::new("/bin/sh")
            .args(["-c", SCRIPT, "watcher", &process.to_string()])
            .arg(directory)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // Control-C at the terminal must not reach the shell.
            .process_group(0)
            .spawn()
            .expect("a shell to watch over a child process");
        Self(shell)
    }
}

impl Drop for Watcher {
    /// Ends the shell. The child has ended, and the shell must not kill another process that gets its number.
    fn drop(&mut self) {
        if let Some(mut input) = self.0.stdin.take() {
            // This fails if the shell has ended already.
            let _ = input.write_all(b"dismissed\n");
        }
        let _ = self.0.wait();
    }
}
