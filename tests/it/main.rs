//! The tests that run the real command against real registries, in one binary so that it links once.

// clippy.toml allows these inside tests; the functions that tests share are not inside one.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test says what it expects by failing loudly"
)]

mod archive;
mod attaching;
mod book;
mod building;
mod cache;
mod commands;
mod doctor;
mod embedding;
mod faults;
mod fleets;
mod fuzzing;
mod hosts;
mod identities;
mod json;
mod layers;
mod mirroring;
mod peculiar;
mod referrers;
mod signing;
mod startable;
mod support;
mod transfer;
