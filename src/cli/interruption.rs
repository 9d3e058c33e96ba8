//! Interruptions: Ctrl-C, SIGTERM and a closed terminal.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Notify;

use crate::content::Stopped;

/// Whether the user wants the command to stop.
#[derive(Clone, Default)]
pub(crate) struct Interruption {
    requested: Arc<AtomicBool>,
    in_last_step: Arc<AtomicBool>,
    wake: Arc<Notify>,
}

impl Interruption {
    /// Starts to listen for signals. The first signal requests an orderly end, the second one ends the process.
    ///
    /// A separate thread listens, so that the second signal works even if all other threads are blocked.
    pub(crate) fn listen() -> io::Result<Self> {
        let interruption = Self::default();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .build()?;
        let mut signals = {
            let _context = runtime.enter();
            Signals::new()?
        };
        let Self {
            requested, wake, ..
        } = interruption.clone();
        std::thread::Builder::new()
            .name("signals".to_owned())
            .spawn(move || {
                runtime.block_on(async {
                    signals.next().await;
                    requested.store(true, Ordering::SeqCst);
                    wake.notify_one();
                    signals.next().await;
                    std::process::exit(130);
                });
            })?;
        Ok(interruption)
    }

    pub(crate) fn requested(&self) -> bool {
        self.requested.load(Ordering::SeqCst)
    }

    /// Waits for the first signal.
    pub(crate) async fn wait(&self) {
        self.wake.notified().await;
    }

    /// Begins the last step of the command, which must not end half done. From now on, a signal does not stop the command.
    /// Fails if a signal has arrived before.
    pub(crate) fn begin_last_step(&self) -> Result<(), Stopped> {
        // In this order, because a signal can arrive at any time.
        self.in_last_step.store(true, Ordering::SeqCst);
        if self.requested() {
            return Err(Stopped);
        }
        Ok(())
    }

    /// Returns whether the last step has begun.
    pub(crate) fn is_in_last_step(&self) -> bool {
        self.in_last_step.load(Ordering::SeqCst)
    }

    #[cfg(test)]
    pub(crate) fn request(&self) {
        self.requested.store(true, Ordering::SeqCst);
        self.wake.notify_one();
    }
}

#[cfg(unix)]
struct Signals(Vec<tokio::signal::unix::Signal>);

#[cfg(unix)]
impl Signals {
    fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let mut kinds = vec![SignalKind::interrupt(), SignalKind::terminate()];
        if obeys_hangup() {
            kinds.push(SignalKind::hangup());
        }
        kinds
            .into_iter()
            .map(signal)
            .collect::<io::Result<_>>()
            .map(Self)
    }

    async fn next(&mut self) {
        let signals = self.0.iter_mut().map(|signal| Box::pin(signal.recv()));
        futures_util::future::select_all(signals).await;
    }
}

/// Returns whether the process must end when its terminal is closed. It must not under `nohup`, which makes the process
/// ignore SIGHUP. Without `/proc`, this is not known, and the default action of the system applies.
#[cfg(unix)]
fn obeys_hangup() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status
        .lines()
        .find_map(|line| line.strip_prefix("SigIgn:"))
        .and_then(|signals| u64::from_str_radix(signals.trim(), 16).ok());
    // SIGHUP is signal 1, the lowest bit.
    ignored.is_some_and(|signals| signals & 1 == 0)
}

#[cfg(windows)]
struct Signals(tokio::signal::windows::CtrlC);

#[cfg(windows)]
impl Signals {
    fn new() -> io::Result<Self> {
        tokio::signal::windows::ctrl_c().map(Self)
    }

    async fn next(&mut self) {
        self.0.recv().await;
    }
}
