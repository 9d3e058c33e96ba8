//! One run of the command: its output and its directories.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result};

use crate::cache::{self, Cache, State};
use crate::content::{AnsweringHosts, Progress, TemporaryDirectory};

use super::output::{Printer, Problem};

/// The output, the progress and the directories that all commands use. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Session {
    printer: Printer,
    progress: Arc<dyn Progress>,
    cache_directory: Option<PathBuf>,
    state_directory: Option<PathBuf>,
}

impl Session {
    pub(crate) fn new(
        printer: Printer,
        progress: Arc<dyn Progress>,
        cache_directory: Option<PathBuf>,
        state_directory: Option<PathBuf>,
    ) -> Self {
        Self {
            printer,
            progress,
            cache_directory,
            state_directory,
        }
    }

    pub(crate) fn progress(&self) -> &Arc<dyn Progress> {
        &self.progress
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

    /// Returns this session, or one with a temporary cache if the user names no cache and the default one cannot be
    /// used. The cache is deleted when the returned directory is dropped. Only for commands whose result does not
    /// depend on the content of the cache. Blocks.
    pub(crate) fn with_usable_cache(&self) -> Result<(Self, Option<TemporaryDirectory>)> {
        if self.cache_directory.is_some() || Cache::open(None).is_ok() {
            return Ok((self.clone(), None));
        }
        self.with_temporary_cache()
    }

    /// Returns this session, or one with a temporary cache if nothing can be written to the cache. The temporary cache
    /// is deleted when the returned directory is dropped. Blocks.
    pub(crate) fn with_writable_cache(&self) -> Result<(Self, Option<TemporaryDirectory>)> {
        let existing = match Cache::open_existing(self.cache_directory()) {
            Ok(existing) => existing,
            Err(cache::Error::NoDirectory) => None,
            Err(error) => return Err(error.into()),
        };
        let opened = existing.or_else(|| Cache::open(self.cache_directory()).ok());
        let is_writable = |cache: &Cache| tempfile::tempfile_in(cache.directory()).is_ok();
        if opened.as_ref().is_some_and(is_writable) {
            return Ok((self.clone(), None));
        }
        self.with_temporary_cache()
    }

    fn with_temporary_cache(&self) -> Result<(Self, Option<TemporaryDirectory>)> {
        let directory = TemporaryDirectory::create_in(&std::env::temp_dir())
            .context("cannot make a temporary directory")?;
        let mut session = self.clone();
        session.cache_directory = Some(directory.path().to_owned());
        Ok((session, Some(directory)))
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
