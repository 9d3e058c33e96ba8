//! Options of the commands that can be restricted to a lock file.

use std::path::PathBuf;

use anyhow::Result;
use clap::ValueHint;

use crate::cli::output::path_text;
use crate::cli::threads::blocking;
use crate::client::{Client, Error, Lock};

use super::inputs::Input;

/// The default lock file, in the current directory.
pub(crate) const LOCK_FILE: &str = "par.lock";

/// Options that restrict a command to the archives in a lock file.
#[derive(Clone, clap::Args)]
#[command(next_help_heading = "Trust options")]
pub(crate) struct LockArgs {
    /// Use only what `par lock` has locked: its digest, even if the tag was moved, and its issuer, subject,
    /// revision and Sigstore identity. Default: what the tag names now
    #[arg(long)]
    locked: bool,
    /// The lock file; naming one implies --locked. Default: `par.lock` in the current directory
    #[arg(
        long,
        env = "PAR_LOCK",
        value_name = "FILE",
        value_hint = ValueHint::FilePath
    )]
    lock_file: Option<PathBuf>,
}

impl LockArgs {
    /// Returns whether the options restrict the command to a lock file.
    pub(crate) fn is_given(&self) -> bool {
        self.path().is_some()
    }

    /// Returns the options as if `--lock-file` were the only one, with this path.
    pub(crate) fn naming(path: PathBuf) -> Self {
        Self {
            locked: false,
            lock_file: Some(path),
        }
    }

    /// Returns the files that the options name.
    pub(crate) fn inputs(&self) -> Vec<Input> {
        let path = self.path().into_iter();
        path.map(|path| ("the lock file", path)).collect()
    }

    fn path(&self) -> Option<PathBuf> {
        let default = self.locked.then(|| LOCK_FILE.into());
        self.lock_file.clone().or(default)
    }

    /// Reads the lock file. Returns `None` if the options do not ask for it.
    pub(crate) async fn read(&self) -> Result<Option<Lock>> {
        let Some(path) = self.path() else {
            return Ok(None);
        };
        let lock = blocking(move || Ok(Lock::read(&path).map_err(Error::from)?));
        lock.await.map(Some)
    }

    /// Restricts the client to the lock file, if the options ask for that.
    pub(crate) async fn restrict(&self, client: Client) -> Result<Client> {
        Ok(match self.read().await? {
            Some(lock) => client.with_lock(lock),
            None => client,
        })
    }

    /// Adds the path of the lock file to an error if the lock file is the reason. The user may not know the
    /// path: an environment variable may have named it.
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
