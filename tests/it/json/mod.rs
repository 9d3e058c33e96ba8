//! `-o json` and `--log-format json`: schemas, the programs of `docs/json/README.md`, and the hosts that answered.

mod answers;
mod log;
mod origins;
mod programs;
mod schemas;
