//! The fuzz targets. They are in `tests/it/fuzzing`, beside their seeds, so that the tests run the one over
//! the other with any compiler.

#[path = "../../tests/it/fuzzing/targets.rs"]
pub mod targets;
