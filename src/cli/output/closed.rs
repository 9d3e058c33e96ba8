//! Whether standard output was closed when the program began, as with `par … >&-`.
//!
//! Rust opens `/dev/null` in place of a closed standard stream before `main`, so that answers would get lost without an
//! error. Programs are also started with `/dev/null` on purpose, so the difference can only be seen before that.

/// Whether standard output was closed when the program began. Known on Linux only.
pub(super) fn standard_output_was_closed() -> bool {
    #[cfg(target_os = "linux")]
    {
        early::CLOSED.load(std::sync::atomic::Ordering::Relaxed)
    }
    #[cfg(not(target_os = "linux"))]
    {
        false
    }
}

#[cfg(target_os = "linux")]
mod early {
    use std::sync::atomic::{AtomicBool, Ordering};

    use rustix::io::{Errno, fcntl_getfd};

    pub(super) static CLOSED: AtomicBool = AtomicBool::new(false);

    extern "C" fn look() {
        let closed = fcntl_getfd(rustix::stdio::stdout()) == Err(Errno::BADF);
        CLOSED.store(closed, Ordering::Relaxed);
    }

    /// The loader of the system calls the functions in this section before Rust's own code.
    #[allow(
        unsafe_code,
        reason = "the section takes functions of this type, and `look` needs nothing of Rust's runtime"
    )]
    #[used]
    #[unsafe(link_section = ".init_array")]
    static LOOK: extern "C" fn() = look;
}
