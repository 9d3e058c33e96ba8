//! Options of the commands that can be held to a lock file.

use std::path::PathBuf;

use anyhow::Result;
use clap::ValueHint;
use wasmcloud_par::client::{Client, Lock};

use super::session::blocking;

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
        self.locked || self.lock_file.is_some()
    }

    /// Holds the client to the lock file, if it is to be.
    pub(crate) async fn bind(&self, client: Client) -> Result<Client> {
        if !self.is_given() {
            return Ok(client);
        }
        let path = self.lock_file.clone();
        let path = path.unwrap_or_else(|| LOCK_FILE.into());
        let lock =
            blocking(move || Ok(Lock::read(&path).map_err(wasmcloud_par::client::Error::from)?));
        Ok(client.with_lock(lock.await?))
    }
}
