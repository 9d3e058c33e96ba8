//! What every command gets besides its own arguments.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use wasmcloud_par::content::Progress;

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
