//! How properties are tried.

use proptest::test_runner::{Config, RngSeed};

/// Tries a property on `cases` values, the same in every run: what fails in CI fails on any machine.
/// `PROPTEST_CASES` and `PROPTEST_RNG_SEED` choose more and others. The smallest value that fails is
/// printed; nothing is kept in files.
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
