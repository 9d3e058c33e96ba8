//! The command `par`: packs, signs, inspects, verifies and moves wasmCloud provider archives.

use std::process::ExitCode;

fn main() -> ExitCode {
    let code = wasmcloud_par::cli::main();
    #[cfg(target_os = "linux")]
    if code == ExitCode::SUCCESS && closed::standard_output() {
        use std::io::Write;
        let message = "error: cannot write to standard output: it is closed";
        // A failure cannot be reported: standard error is where it would be.
        let _ = writeln!(std::io::stderr(), "{message}");
        return ExitCode::FAILURE;
    }
    code
}

/// Whether standard output was closed when the program began (`par … >&-`). Rust opens `/dev/null` in its place before
/// `main`, so that answers get lost without an error.
#[cfg(target_os = "linux")]
mod closed {
    use std::sync::atomic::{AtomicBool, Ordering};

    static CLOSED: AtomicBool = AtomicBool::new(false);

    pub(super) fn standard_output() -> bool {
        CLOSED.load(Ordering::Relaxed)
    }

    extern "C" fn look() {
        let is_open = rustix::io::fcntl_getfd(rustix::stdio::stdout());
        CLOSED.store(is_open == Err(rustix::io::Errno::BADF), Ordering::Relaxed);
    }

    /// The system's loader calls what is in this section before Rust's own code, and nothing else runs then.
    #[allow(
        unsafe_code,
        reason = "the section expects functions of this type, and `look` needs nothing of Rust's runtime"
    )]
    #[used]
    #[unsafe(link_section = ".init_array")]
    static LOOK: extern "C" fn() = look;
}
