//! The fuzz targets and their seeds. Both are in `tests/it/fuzzing`, so that the tests run the one over
//! the other with any compiler.

#[path = "../../tests/it/fuzzing/seeds.rs"]
pub mod seeds;
#[path = "../../tests/it/fuzzing/targets.rs"]
pub mod targets;
