//! One run of the command: its output and its directories.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Error, Result};

use crate::cache::{self, Cache, State};
use crate::client;
use crate::content::{AnsweringHosts, ErrorKind, Progress, TemporaryDirectory};

use super::interruption::Interruption;
use super::output::{Printer, Problem};
use super::threads::blocking;

/// How many bytes are written to find out whether a cache can be written to. A full disk has room for an empty file.
const PROBE: usize = 16 * 1024;

/// What a command can do with the cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Access {
    Write,
    /// Nothing can be written, as in a cache that is read-only or on a full disk.
    Read,
    None,
}

/// The output, the progress and the directories that all commands use. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Session {
    printer: Printer,
    progress: Arc<dyn Progress>,
    interruption: Interruption,
    cache_directory: Option<PathBuf>,
    state_directory: Option<PathBuf>,
}

impl Session {
    pub(crate) fn new(
        printer: Printer,
        progress: Arc<dyn Progress>,
        interruption: Interruption,
        cache_directory: Option<PathBuf>,
        state_directory: Option<PathBuf>,
    ) -> Self {
        Self {
            printer,
            progress,
            interruption,
            cache_directory,
            state_directory,
        }
    }

    pub(crate) fn progress(&self) -> &Arc<dyn Progress> {
        &self.progress
    }

    /// Whether the user wants the command to stop.
    pub(crate) fn interruption(&self) -> &Interruption {
        &self.interruption
    }

    /// Returns the record of the hosts that answer, for a command that asks registries.
    pub(crate) fn answering(&self) -> AnsweringHosts {
        self.printer.answering()
    }

    /// The directory of the cache, if the user names one.
    pub(crate) fn cache_directory(&self) -> Option<&Path> {
        self.cache_directory.as_deref()
    }

    /// The directory of the pins, if the user names one.
    pub(crate) fn state_directory(&self) -> Option<&Path> {
        self.state_directory.as_deref()
    }

    /// Opens the state, which has the pins. Blocks.
    pub(crate) fn state(&self) -> Result<State> {
        Ok(State::open(self.state_directory(), self.cache_directory())?)
    }

    /// Calls `work` with the cache, or returns an empty value if there is no cache. This is for commands that only list
    /// or remove content, and so do not create a cache.
    pub(crate) fn in_existing_cache<T: Default>(
        &self,
        work: impl FnOnce(Cache) -> Result<T, cache::Error>,
    ) -> Result<T> {
        if let Some(cache) = Cache::open_existing(self.cache_directory())? {
            return Ok(work(cache)?);
        }
        let directory = Cache::directory_to_open(self.cache_directory())?;
        self.note(&format!("there is no cache in {}", directory.display()));
        Ok(T::default())
    }

    /// Calls `work` with this session if its cache can be used, or else with one that has a temporary cache. A cache to
    /// which nothing can be written may have all that is needed: `work` is called with it first, and called again if it
    /// fails because of that. Only for commands whose result does not depend on the content of the cache.
    pub(crate) async fn in_usable_cache<T>(
        &self,
        work: impl AsyncFn(&Self) -> Result<T>,
    ) -> Result<T> {
        let session = self.clone();
        let access = blocking(move || session.cache_access()).await?;
        if access != Access::None {
            match work(self).await {
                Err(error) if access == Access::Read && is_unwritable(&error) => {
                    tracing::debug!("using a temporary cache: {error:#}");
                }
                outcome => return outcome,
            }
        }
        self.in_temporary_cache(work).await
    }

    /// Calls `work` with a session that has a temporary cache.
    pub(crate) async fn in_temporary_cache<T>(
        &self,
        work: impl AsyncFn(&Self) -> Result<T>,
    ) -> Result<T> {
        let create = || {
            TemporaryDirectory::create_in(&std::env::temp_dir())
                .context("cannot make a temporary directory")
        };
        let directory = blocking(create).await?;
        let mut session = self.clone();
        session.cache_directory = Some(directory.path().to_owned());
        work(&session).await
    }

    /// Finds out what can be done with the cache, which is created if it is missing. An error says that the user names
    /// a directory that cannot be a cache. Blocks.
    fn cache_access(&self) -> Result<Access> {
        let directory = self.cache_directory();
        let opened = match Cache::open_existing(directory) {
            Ok(Some(cache)) => Ok(cache),
            Ok(None) => Cache::open(directory),
            Err(error) => Err(error),
        };
        match opened {
            Ok(cache) if is_writable(&cache) => Ok(Access::Write),
            Ok(_) => Ok(Access::Read),
            Err(error) if error.kind() == ErrorKind::Usage => Err(error.into()),
            Err(error) => {
                tracing::debug!("using a temporary cache: {error}");
                Ok(Access::None)
            }
        }
    }

    /// Whether standard output has to be a JSON object.
    pub(crate) fn prints_json(&self) -> bool {
        self.printer.prints_json()
    }

    /// Whether every line of standard error has to be a JSON object.
    pub(crate) fn logs_json(&self) -> bool {
        self.printer.logs_json()
    }

    /// Whether only errors are printed to standard error.
    pub(crate) fn is_quiet(&self) -> bool {
        self.printer.is_quiet()
    }

    /// Prints a message that is not part of the command's answer.
    pub(crate) fn note(&self, message: &str) {
        self.printer.note(message);
    }

    /// Prints a message that the user has to see, also with `--quiet`.
    pub(crate) fn note_always(&self, message: &str) {
        self.printer.note_always(message);
    }

    /// Prints an error of a command that has several.
    pub(crate) fn print_problem(&self, problem: &Problem) {
        self.printer.print_problem(problem);
    }

    /// Prints a warning about something that the user probably does not intend, and adds it to a JSON answer.
    pub(crate) fn warn(&self, message: &str) {
        self.printer.warn(message);
    }
}

fn is_writable(cache: &Cache) -> bool {
    let probe = tempfile::tempfile_in(cache.directory());
    probe.is_ok_and(|mut probe| probe.write_all(&[1; PROBE]).is_ok())
}

/// Whether work failed because nothing can be written to the cache.
fn is_unwritable(error: &Error) -> bool {
    let mut found = error.chain().filter_map(|error| {
        let client: Option<&client::Error> = error.downcast_ref();
        let cache = client.and_then(client::Error::as_cache);
        cache.or_else(|| error.downcast_ref())
    });
    found.any(|error: &cache::Error| error.kind() == ErrorKind::Denied || error.is_full())
}
