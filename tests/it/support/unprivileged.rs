//! A user without the rights of root.

use std::fs;
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use super::Environment;

/// The number of the user `nobody` on nearly every system.
const NOBODY: u32 = 65534;

/// A user that is not root, and that owns an environment. If root runs the tests, a copy of the program is in
/// the environment, because the original may be where only root can read it.
pub(crate) struct Unprivileged<'a> {
    environment: &'a Environment,
    is_root: bool,
}

impl<'a> Unprivileged<'a> {
    /// Gives the environment to a user that is not root.
    pub(crate) fn new(environment: &'a Environment) -> Self {
        let home = environment.home();
        let is_root = fs::metadata(&home).unwrap().uid() == 0;
        if is_root {
            // Copied by another process: a program that is open for writing cannot be run, and the children
            // of other tests inherit the open files of this process for a moment.
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

    /// Returns whether root runs the tests. If not, this user is the one that runs them.
    pub(crate) fn is_root(&self) -> bool {
        self.is_root
    }

    /// Returns the environment of the user.
    pub(crate) fn environment(&self) -> &'a Environment {
        self.environment
    }

    /// Returns the command `par` with these arguments, run by the user.
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
