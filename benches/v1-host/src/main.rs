//! Builds real providers with `par build`, pushes them to a real registry, and has a host of wasmCloud v1 start them.
//!
//! The host is the crate `wasmcloud-host`, as the program `wasmcloud` runs it, with a real NATS server. `scripts/v1-host`
//! builds everything and runs this.

mod claims;
mod lattice;
mod process;
mod project;
mod servers;

use std::path::PathBuf;

use anyhow::{Context, ensure};
use clap::Parser;

use lattice::Lattice;
use project::{Checkout, Keys, Language};
use servers::{Nats, Registry};

/// Starts providers that `par build` has built in a host of wasmCloud v1.
#[derive(Parser)]
struct Arguments {
    /// The program `par`
    #[arg(long)]
    par: PathBuf,
    /// The program of the registry
    #[arg(long)]
    registry: PathBuf,
    /// The program of the NATS server
    #[arg(long)]
    nats_server: PathBuf,
    /// The program `wash`, to compare the claims of what it builds. Default: nothing is compared
    #[arg(long)]
    wash: Option<PathBuf>,
    /// The target directory of this program, which has the crates that the provider in Rust needs
    #[arg(long)]
    target_dir: PathBuf,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    rustls::crypto::ring::default_provider()
        .install_default()
        .ok()
        .context("there is a provider of cryptography already")?;
    let directory = tempfile::tempdir()?;
    let checkout = Checkout::copy(directory.path())?;
    let projects = [
        checkout.project("blobstore-fs", Language::Rust)?,
        checkout.project("clock", Language::Go)?,
    ];
    let keys = Keys::generate(&arguments.par, &directory.path().join("keys"), &projects)?;

    let mut archives = Vec::new();
    for project in &projects {
        let archive = project.build_with_par(&arguments.par, &keys, &arguments.target_dir)?;
        println!("{}: built by par", project.name);
        if let Some(wash) = &arguments.wash {
            let theirs = project.build_with_wash(wash, &keys, &arguments.target_dir)?;
            let compared = claims::compare(&archive, &theirs)
                .with_context(|| format!("{}: par and wash differ", project.name))?;
            println!("{}: wash signs the same claims: {compared}", project.name);
        }
        archives.push(archive);
    }

    let registry = Registry::start(&arguments.registry, directory.path())?;
    let nats = Nats::start(&arguments.nats_server, directory.path())?;
    let lattice = Lattice::start(&nats.url(), registry.address()).await?;
    println!(
        "a host of wasmCloud v1 runs: {}",
        lattice.host_version().await?
    );
    for (project, archive) in projects.iter().zip(&archives) {
        let reference = registry.reference(&format!("v1/{}:0.1.0", project.name));
        archive.push(&arguments.par, &reference)?;
        let expected = archive.executable(&arguments.par)?;

        let mut provider = lattice.start_provider(project.name, &reference).await?;
        let running = provider.process(&expected)?;
        println!("{}: runs as process {}", project.name, running.id());
        provider.wait_for_health_check().await?;
        ensure!(
            provider.answers_health_ping().await?,
            "{} says that it is not healthy",
            project.name
        );
        println!("{}: healthy, by the host's check and a ping", project.name);
        let known = provider.claims().await?;
        archive.claims()?.ensure_known_as(&known)?;
        println!("{}: the lattice has its claims", project.name);
        provider.stop().await?;
        running.wait_until_ended().await?;
        println!("{}: stopped", project.name);
    }
    lattice.stop().await
}
