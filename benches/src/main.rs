//! Compares `par` with the crates that users would choose instead.
//!
//! Both sides run as processes, in turn, so that other load on the machine affects both. The result is
//! the ratio of each pair. Build `par` first: `cargo build --release`.

#[cfg(feature = "host")]
mod agree;
mod attached;
mod chain;
mod connections;
#[cfg(feature = "host")]
mod fetch;
#[cfg(feature = "host")]
mod hosts;
mod inputs;
mod large;
mod link;
mod measure;
mod moving;
mod pack;
mod peers;
mod registry;
mod transfer;
mod verify;

use std::path::PathBuf;

use clap::{Parser, Subcommand};

/// Times `par` side by side with `provider-archive` and `oci-client`, on Linux.
#[derive(Parser)]
struct Benches {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// `par create --compress` beside `provider-archive`'s `write`
    Pack(Options),
    /// `par verify` beside `provider-archive`'s load, which checks no signature
    Verify(Options),
    /// `par create --compress` and `par verify` of 2 GB, for the memory they take
    Large(Options),
    /// `par push` and `par pull` beside `oci-client`'s, each with `provider-archive`'s load
    Transfer(Options),
    /// `par fetch` beside the `fetch_provider` of `wasmcloud-core`, cold and cached, also at 100 Mbit/s
    #[cfg(feature = "host")]
    Fetch(Options),
    /// Checks that `par fetch` and `fetch_provider` give the same executables, no matter which client packed and pushed
    #[cfg(feature = "host")]
    Agree(Options),
    /// `par copy` of 300 MB beside `curl` and one pass of SHA-256, and of 2 GB for the memory it takes
    Move(Options),
    /// `par pull` over 1, 2, 4 and 8 connections, on lines that limit each connection and on others
    Connections(Options),
    /// `par copy` and `par mirror` of archives with what belongs to them, beside `regctl` and `oras`
    Attached(attached::AttachedOptions),
    /// One side of a comparison, in a process of its own
    #[command(hide = true, subcommand)]
    Peer(peers::Peer),
    /// Runs a command and prints its time and peak memory
    #[command(hide = true)]
    Measure {
        /// The command and its arguments
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, required = true)]
        command: Vec<std::ffi::OsString>,
    },
}

#[derive(clap::Args)]
struct Options {
    /// How many times each side runs
    #[arg(long, default_value_t = 5)]
    runs: usize,
    /// The program to measure [default: the release build of this checkout]
    #[arg(long)]
    par: Option<PathBuf>,
    /// Executables to pack, of 10 to 60 MB [default: the six largest such on this machine]
    files: Vec<PathBuf>,
}

impl Options {
    fn par(&self) -> anyhow::Result<PathBuf> {
        let default = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/release/par");
        let path = self.par.clone().unwrap_or_else(|| default.into());
        anyhow::ensure!(
            path.is_file(),
            "there is no {}: run `cargo build --release` first",
            path.display()
        );
        Ok(path)
    }
}

fn main() -> anyhow::Result<()> {
    match Benches::parse().command {
        Command::Pack(options) => pack::run(&options),
        Command::Verify(options) => verify::run(&options),
        Command::Large(options) => large::run(&options),
        Command::Transfer(options) => transfer::run(&options),
        #[cfg(feature = "host")]
        Command::Fetch(options) => fetch::run(&options),
        #[cfg(feature = "host")]
        Command::Agree(options) => agree::run(&options),
        Command::Move(options) => moving::run(&options),
        Command::Connections(options) => connections::run(&options),
        Command::Attached(options) => attached::run(&options),
        Command::Peer(peer) => peer.run(),
        Command::Measure { command } => measure::run_and_report(&command),
    }
}
