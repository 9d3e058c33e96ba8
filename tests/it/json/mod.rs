//! `-o json` and `--log-format json`: schemas, the programs of `docs/json/README.md`, and where answers come from.

mod answers;
mod log;
mod origins;
mod programs;
mod schemas;
