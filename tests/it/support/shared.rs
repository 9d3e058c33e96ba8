//! One registry for all tests that need no special one.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use super::Registry;

/// Returns the address of the shared registry: `PAR_TEST_REGISTRY`, or else that of one that is started for this
/// test run.
///
/// All tests push to it: use a [`unique`] repository.
pub(crate) fn shared_registry() -> &'static str {
    static NAMED: OnceLock<Option<String>> = OnceLock::new();
    static STARTED: OnceLock<Registry> = OnceLock::new();
    let named = NAMED.get_or_init(|| {
        std::env::var("PAR_TEST_REGISTRY")
            .ok()
            .filter(|address| !address.is_empty())
    });
    match named {
        Some(address) => address,
        None => STARTED.get_or_init(Registry::start).address(),
    }
}

/// Returns the name of a repository that no other test uses, and no other test run, because the shared registry
/// may be an old one.
pub(crate) fn unique(name: &str) -> String {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("a clock after 1970")
        .as_nanos();
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("tests/{name}-{now:x}-{}-{count}", std::process::id())
}
