//! Programs that tests start and `scripts/test` builds: `oras` and `regctl`, and a registry with the referrers API.

use std::path::{Path, PathBuf};

/// Returns the path of a program that `scripts/test` has built.
pub(crate) fn tool(name: &str) -> PathBuf {
    let named = std::env::var_os("PAR_TEST_TOOLS").filter(|named| !named.is_empty());
    let built = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("test-tools");
    let directory = named.map_or(built, PathBuf::from);
    let path = directory.join(name);
    assert!(
        path.is_file(),
        "no {name} in {}: run scripts/test, which builds it; or name its directory in PAR_TEST_TOOLS",
        directory.display()
    );
    path
}
