//! A clean environment for the command, into which the machine passes only its `PATH`.

use std::ffi::OsStr;
use std::fmt;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;

use serde_json::Value;
use tempfile::TempDir;

use super::{Invocation, ended, schemas};

/// The directories of a user named `tester`. Dropping the environment removes them.
///
/// ```text
/// home/   HOME, with the XDG directories at their defaults
/// tmp/    TMPDIR
/// work/   the current directory
/// ```
pub(crate) struct Environment {
    directory: TempDir,
}

impl Environment {
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        for name in ["home", "tmp", "work"] {
            fs::create_dir(directory.path().join(name)).unwrap();
        }
        Self { directory }
    }

    /// Returns the user's home directory.
    pub(crate) fn home(&self) -> PathBuf {
        self.directory.path().join("home")
    }

    /// Returns a path in the current directory of the command.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join("work").join(name)
    }

    /// Writes a file in the current directory of the command. Returns its path.
    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        path
    }

    /// Returns the paths of all files, such as `home/.cache/...` and `work/...`, sorted. Symbolic links count as
    /// files; directories do not.
    pub(crate) fn files(&self) -> Vec<String> {
        let mut files = Vec::new();
        list(self.directory.path(), self.directory.path(), &mut files);
        files.sort();
        files
    }

    /// Returns the command `par` without arguments.
    pub(crate) fn command(&self) -> Command {
        self.command_for(Path::new(env!("CARGO_BIN_EXE_par")))
    }

    /// Returns the command of another program in this environment.
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
            .env("XDG_STATE_HOME", home.join(".local/state"))
            .env("TMPDIR", self.directory.path().join("tmp"))
            .env("USER", "tester")
            .env("NO_COLOR", "1")
            // A registry that fails in a test does not recover.
            .env("PAR_PATIENCE", "10")
            .current_dir(self.path(""));
        command
    }

    /// Runs `par` with these arguments and an empty standard input.
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

fn list(root: &Path, directory: &Path, files: &mut Vec<String>) {
    for entry in fs::read_dir(directory).unwrap() {
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

/// The result of a command. It is printed in full when it is not what the test expects.
pub(crate) struct Outcome {
    command: String,
    /// The exit code, or -1 if a signal ended it.
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Outcome {
    /// Runs a command with `input` on its standard input. A JSON answer of `par` has to match its schema.
    #[track_caller]
    pub(crate) fn of(mut command: Command, input: &[u8]) -> Self {
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().expect("the command starts");
        let mut pipe = child.stdin.take().unwrap();
        let output = thread::scope(|scope| {
            // At the same time as the output is read, or both sides could wait for each other. A command
            // may end without reading its input.
            scope.spawn(move || drop(pipe.write_all(input)));
            ended(child)
        });
        let outcome = Self {
            command: format!("{command:?}"),
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).expect("stdout is UTF-8"),
            stderr: String::from_utf8(output.stderr).expect("stderr is UTF-8"),
        };
        if let Some(invocation) = Invocation::of(&command)
            && invocation.wants_json()
            && output.status.code().is_some()
        {
            schemas::check(
                &invocation,
                &outcome.to_string(),
                outcome.code,
                &outcome.stdout,
            );
        }
        outcome
    }

    /// Asserts that the command succeeded.
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

    /// Parses the standard output as one JSON document.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("stdout is not JSON: {error}\n{self}"))
    }

    /// Returns the only line of the standard output. Asserts that it is the only one.
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
