//! The configuration of property tests.

use proptest::test_runner::{Config, RngSeed};

/// Tries a property on `cases` values, which are the same in every run: a test that fails in CI fails on any
/// machine. `PROPTEST_CASES` and `PROPTEST_RNG_SEED` change their number and choice. The smallest value that
/// fails is printed and not kept in a file.
pub(crate) fn tried(cases: u32) -> Config {
    let mut config = Config {
        failure_persistence: None,
        ..Config::default()
    };
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = cases;
    }
    if std::env::var_os("PROPTEST_RNG_SEED").is_none() {
        config.rng_seed = RngSeed::Fixed(1);
    }
    config
}
