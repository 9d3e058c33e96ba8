//! The library in a host: credentials and connections from code, typed errors, streams, progress.

mod credentials;
mod documents;
mod errors;
mod freshness;
mod isolated;
mod progress;
mod settings;
mod streams;

use wasmcloud_par::archive::Target;
use wasmcloud_par::client::{Client, ClientOptions, Error, Fetched, PushOptions};
use wasmcloud_par::oci::{CredentialSource, Reference, RegistryOptions};

use crate::support::archives::ArchiveBuilder;
use crate::support::{Environment, Registry};
use crate::transfer::text;

/// The target of the archives that [`publish`] pushes.
fn target() -> Target {
    "x86_64-linux".parse().unwrap()
}

/// Returns the options of an isolated host.
fn options(environment: &Environment) -> ClientOptions {
    ClientOptions::isolated(environment.path("kept"))
}

fn parsed(reference: &str) -> Reference {
    reference.parse().unwrap()
}

async fn fetch(client: &Client, reference: &str) -> Result<Fetched, Error> {
    client.fetch(&parsed(reference), &target()).await
}

/// Pushes a small archive as a user with this name and password. Returns the digest of the manifest.
async fn publish_as(
    environment: &Environment,
    (user, password): (&str, &str),
    reference: &str,
) -> String {
    let credentials = CredentialSource::default().explicit(user, password);
    let registry = RegistryOptions::default().credentials(credentials);
    let client = Client::new(options(environment).registry(registry)).unwrap();
    push(environment, &client, reference).await
}

/// Pushes a small archive, which differs in each call. Returns the digest of the manifest.
async fn push(environment: &Environment, client: &Client, reference: &str) -> String {
    let file = environment.write("pushed.par", ArchiveBuilder::two_targets().build());
    // Each archive has other keys.
    let options = PushOptions::default().change_identity(true);
    let pushed = client.push(&file, &parsed(reference), options).await;
    pushed.unwrap().digest.to_string()
}

/// Pushes a small archive to a registry that asks for no password.
async fn publish(environment: &Environment, reference: &str) -> String {
    let client = Client::new(options(environment)).unwrap();
    push(environment, &client, reference).await
}

/// Returns how many times the registry answered with this status.
fn answers(registry: &Registry, status: u16) -> usize {
    registry.requests();
    let answered = format!("HTTP/1.1\" {status} ");
    let log = registry.log();
    log.lines().filter(|line| line.contains(&answered)).count()
}

/// Writes a file in the home directory of the user.
fn at_home(environment: &Environment, name: &str, content: &str) -> String {
    let path = environment.write(&format!("../home/{name}"), content);
    text(&path).to_owned()
}
