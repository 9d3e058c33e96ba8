//! Options of the commands that can be held to a lock file.

use std::path::PathBuf;

use anyhow::Result;
use clap::ValueHint;

use crate::cli::output::path_text;
use crate::cli::threads::blocking;
use crate::client::{Client, Error, Lock};

/// The lock file of a command that says nothing else.
pub(crate) const LOCK_FILE: &str = "par.lock";

/// Whether only what is locked may be used.
#[derive(Clone, clap::Args)]
#[command(next_help_heading = "Trust options")]
pub(crate) struct LockArgs {
    /// Take nothing but what `par lock` has locked: the digest, whatever the tag stands for now, and its
    /// issuer, subject and revision. Default: what the tag stands for now
    #[arg(long)]
    locked: bool,
    /// The lock file; naming one means --locked. Default: `par.lock` in the current folder
    #[arg(
        long,
        env = "PAR_LOCK",
        value_name = "FILE",
        value_hint = ValueHint::FilePath
    )]
    lock_file: Option<PathBuf>,
}

impl LockArgs {
    /// Whether a lock decides.
    pub(crate) fn is_given(&self) -> bool {
        self.path().is_some()
    }

    fn path(&self) -> Option<PathBuf> {
        let default = self.locked.then(|| LOCK_FILE.into());
        self.lock_file.clone().or(default)
    }

    /// Holds the client to the lock file, if it is to be.
    pub(crate) async fn bind(&self, client: Client) -> Result<Client> {
        let Some(path) = self.path() else {
            return Ok(client);
        };
        let lock = blocking(move || Ok(Lock::read(&path).map_err(Error::from)?));
        Ok(client.with_lock(lock.await?))
    }

    /// An error of that client, with the name of the lock file when that is what refuses: a variable may
    /// have named it, behind the user's back.
    pub(crate) fn explain(&self, error: Error) -> anyhow::Error {
        match (error, self.path()) {
            (error @ Error::Lock(_), Some(path)) => {
                let refused = format!("the lock file {} does not allow it", path_text(&path));
                anyhow::Error::new(error).context(refused)
            }
            (error, _) => error.into(),
        }
    }
}
