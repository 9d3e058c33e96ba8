//! A clean place to run the command in: nothing comes in from the machine but the `PATH`.

use std::ffi::OsStr;
use std::fmt;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;

use serde_json::Value;
use tempfile::TempDir;

use super::ended;

/// Folders of a user called `tester`, and removed when dropped:
///
/// ```text
/// home/   HOME, with the XDG folders where they are by default
/// tmp/    TMPDIR
/// work/   the current directory
/// ```
pub(crate) struct Environment {
    folder: TempDir,
}

impl Environment {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in ["home", "tmp", "work"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        Self { folder }
    }

    /// The user's home.
    pub(crate) fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    /// A path in the current directory of the command.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join("work").join(name)
    }

    /// Writes a file in the current directory of the command, and returns its path.
    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        path
    }

    /// Every file there is, sorted: `home/.cache/...`, `work/...`. Links and the like count as files,
    /// folders do not.
    pub(crate) fn files(&self) -> Vec<String> {
        let mut files = Vec::new();
        list(self.folder.path(), self.folder.path(), &mut files);
        files.sort();
        files
    }

    /// The command, ready for arguments and for whatever else a test wants to change about it.
    pub(crate) fn command(&self) -> Command {
        self.command_for(Path::new(env!("CARGO_BIN_EXE_par")))
    }

    /// Another program, in the same surroundings.
    pub(crate) fn command_for(&self, program: &Path) -> Command {
        let home = self.home();
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", &home)
            .env("XDG_CACHE_HOME", home.join(".cache"))
            .env("XDG_CONFIG_HOME", home.join(".config"))
            .env("XDG_DATA_HOME", home.join(".local/share"))
            .env("TMPDIR", self.folder.path().join("tmp"))
            .env("USER", "tester")
            .env("NO_COLOR", "1")
            // Registries that are away stay away here.
            .env("PAR_PATIENCE", "5")
            .current_dir(self.path(""));
        command
    }

    /// Runs `par` with these arguments, and nothing on its standard input.
    #[track_caller]
    pub(crate) fn par<I>(&self, arguments: I) -> Outcome
    where
        I: IntoIterator<Item: AsRef<OsStr>>,
    {
        let mut command = self.command();
        command.args(arguments);
        Outcome::of(command, b"")
    }
}

fn list(root: &Path, folder: &Path, files: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            list(root, &entry.path(), files);
        } else {
            files.push(
                entry
                    .path()
                    .strip_prefix(root)
                    .unwrap()
                    .display()
                    .to_string(),
            );
        }
    }
}

/// What a command left behind. Printed whole when it is not what the test expects.
pub(crate) struct Outcome {
    command: String,
    /// The exit code, or -1 if a signal ended it.
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Outcome {
    /// Runs a command with this on its standard input.
    #[track_caller]
    pub(crate) fn of(mut command: Command, input: &[u8]) -> Self {
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().expect("the command starts");
        let mut pipe = child.stdin.take().unwrap();
        let output = thread::scope(|scope| {
            // Beside reading the output, or both sides could wait for each other. A command that
            // ends without reading its input is not an error.
            scope.spawn(move || drop(pipe.write_all(input)));
            ended(child)
        });
        Self {
            command: format!("{command:?}"),
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).expect("stdout is UTF-8"),
            stderr: String::from_utf8(output.stderr).expect("stderr is UTF-8"),
        }
    }

    /// Asserts that it went well.
    #[track_caller]
    pub(crate) fn success(self) -> Self {
        self.exit(0)
    }

    /// Asserts the exit code.
    #[track_caller]
    pub(crate) fn exit(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{self}");
        self
    }

    /// The one JSON document that stdout is.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("stdout is not JSON: {error}\n{self}"))
    }

    /// Stdout without the line's end, asserting that it is exactly one line.
    #[track_caller]
    pub(crate) fn line(&self) -> &str {
        match self.stdout.strip_suffix('\n') {
            Some(line) if !line.is_empty() && !line.contains('\n') => line,
            _ => panic!("stdout is not one line\n{self}"),
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            command,
            code,
            stdout,
            stderr,
        } = self;
        write!(
            f,
            "{command}\n--- exit code: {code}\n--- stdout:\n{stdout}\n--- stderr:\n{stderr}"
        )
    }
}
