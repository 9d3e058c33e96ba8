//! What every command gets besides its own arguments.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::cache::Cache;
use crate::content::Progress;
use anyhow::Context;
use tempfile::TempDir;

use super::escape;
use super::interruption::Interruption;
use super::options::GlobalOptions;
use super::output::Output;
use super::progress::Bars;

/// One run of the command. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Session {
    output: Output,
    progress: Arc<dyn Progress>,
    cache_directory: Option<PathBuf>,
}

impl Session {
    pub(crate) fn new(global: &GlobalOptions, output: Output, interruption: &Interruption) -> Self {
        let visible = global.shows_progress() && std::io::stderr().is_terminal();
        Self {
            output,
            progress: Arc::new(Bars::new(visible, interruption.clone())),
            cache_directory: global.cache_directory(),
        }
    }

    pub(crate) fn progress(&self) -> &Arc<dyn Progress> {
        &self.progress
    }

    /// The folder of the cache, when the user names one.
    pub(crate) fn cache_directory(&self) -> Option<&Path> {
        self.cache_directory.as_deref()
    }

    /// The same with a cache for this command alone, which goes with the folder that is returned, where the
    /// user names none and has none that can be used. Only for what nothing in a cache decides on, such as
    /// pins. Blocks.
    pub(crate) fn with_any_cache(&self) -> anyhow::Result<(Self, Option<TempDir>)> {
        if self.cache_directory.is_some() || Cache::open(None).is_ok() {
            return Ok((self.clone(), None));
        }
        let folder = tempfile::Builder::new()
            .prefix("par-")
            .tempdir()
            .context("there is no folder for temporary files")?;
        let mut session = self.clone();
        session.cache_directory = Some(folder.path().to_owned());
        Ok((session, Some(folder)))
    }

    /// Tells the user something that is not the command's answer.
    pub(crate) fn note(&self, message: &str) {
        self.output.note(&escape::lines(message));
    }

    /// Tells the user about something that is probably not meant.
    pub(crate) fn warn(&self, message: &str) {
        self.note(&format!("warning: {message}"));
    }
}

/// Runs work on local files where it does not keep signals from being seen.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> anyhow::Result<T> + Send + 'static,
) -> anyhow::Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .context("the work was cut short")?
}

/// The same for work that waits for standard input, perhaps for ever: an interruption does not wait for
/// it. It must leave nothing to clean up.
pub(crate) async fn detached<T: Send + 'static>(
    work: impl FnOnce() -> anyhow::Result<T> + Send + 'static,
) -> anyhow::Result<T> {
    let (sender, receiver) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        // Nobody waits any more after an interruption.
        let _ = sender.send(work());
    });
    receiver.await.context("the work was cut short")?
}

/// A path as text for output.
pub(crate) fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
