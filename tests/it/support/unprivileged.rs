//! Somebody whom the system denies something.

use std::fs;
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use super::Environment;

/// Whom the kernel refuses: anybody but root. The number of `nobody` nearly everywhere.
const NOBODY: u32 = 65534;

/// How to run the command as somebody who is not root. The environment becomes theirs; a copy of the
/// program is in it, because the original may be where only root can go.
pub(crate) struct Unprivileged<'a> {
    environment: &'a Environment,
    is_root: bool,
}

impl<'a> Unprivileged<'a> {
    /// Somebody who owns the environment from now on.
    pub(crate) fn new(environment: &'a Environment) -> Self {
        let home = environment.home();
        let is_root = fs::metadata(&home).unwrap().uid() == 0;
        if is_root {
            // By another process: a program that is open for writing cannot be run, and whatever
            // this process has open, children that other tests start just now hold for a moment.
            let copied = Command::new("cp")
                .arg(env!("CARGO_BIN_EXE_par"))
                .arg(home.join("par"))
                .status();
            assert!(copied.unwrap().success());
            give_away(home.parent().unwrap());
        }
        Self {
            environment,
            is_root,
        }
    }

    /// Whether root runs the tests, so that this is somebody else.
    pub(crate) fn is_root(&self) -> bool {
        self.is_root
    }

    /// Theirs.
    pub(crate) fn environment(&self) -> &'a Environment {
        self.environment
    }

    /// The command with these arguments, as that user.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let own = self.environment.command();
        if !self.is_root {
            let mut own = own;
            own.args(arguments);
            return own;
        }
        let mut command = Command::new(self.environment.home().join("par"));
        command
            .env_clear()
            .envs(
                own.get_envs()
                    .filter_map(|(name, value)| Some((name, value?))),
            )
            .current_dir(own.get_current_dir().unwrap())
            .uid(NOBODY)
            .gid(NOBODY)
            .args(arguments);
        command
    }
}

fn give_away(path: &Path) {
    chown(path, Some(NOBODY), Some(NOBODY)).unwrap();
    if path.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            give_away(&entry.unwrap().path());
        }
    }
}
