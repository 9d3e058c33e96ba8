//! Interruptions: Ctrl-C, SIGTERM and a closed terminal.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Notify;

/// Whether the user wants the command to stop.
#[derive(Clone, Default)]
pub(crate) struct Interruption {
    requested: Arc<AtomicBool>,
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
        let Self { requested, wake } = interruption.clone();
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

    #[cfg(test)]
    pub(crate) fn request(&self) {
        self.requested.store(true, Ordering::SeqCst);
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
