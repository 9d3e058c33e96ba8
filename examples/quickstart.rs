//! The whole way of a provider: pack, sign, push, pull by reference, verify, and start the executable from the cache.
//!
//! ```text
//! # no set-up at all
//! cargo run --release --no-default-features --example quickstart
//! # a real registry
//! cargo run --release --no-default-features --example quickstart -- 127.0.0.1:5000/demo/provider:1.0.0
//! ```
//!
//! The default features of the crate are for the command `par`. The example does not need them.
//!
//! The packed executable is this program itself. When `PAR_QUICKSTART_PROVIDER` is set, it acts as the provider.

#![allow(clippy::print_stdout, reason = "an example talks")]

use std::collections::BTreeMap;
use std::error::Error;
use std::process::Command;

use wasmcloud_par::archive::{ArchiveWriter, Compression, Input, Key, KeyKind, Metadata, Signer};
use wasmcloud_par::progress::Silent;
use wasmcloud_par::{Client, ClientOptions, Reference, Target};

const PROVIDER: &str = "PAR_QUICKSTART_PROVIDER";

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    if std::env::var_os(PROVIDER).is_some() {
        println!(
            "           hello from the provider, process {}",
            std::process::id()
        );
        return Ok(());
    }
    let directory = tempfile::tempdir()?;
    let layout = format!(
        "oci-layout://{}:1.0.0",
        directory.path().join("registry").display()
    );
    let reference: Reference = std::env::args().nth(1).unwrap_or(layout).parse()?;

    // The developer: pack the executables of all targets, sign, push.
    let archive = directory.path().join("provider.par.gz");
    let account = Key::generate(KeyKind::Account);
    let service = Key::generate(KeyKind::Service).public_key();
    let mut writer = ArchiveWriter::new(Metadata {
        name: Some("Quickstart".to_owned()),
        vendor: "Example".to_owned(),
        version: Some("1.0.0".to_owned()),
        ..Metadata::default()
    });
    let executable = Input::File(std::env::current_exe()?);
    writer.executable(Target::host(), executable.clone());
    writer.executable("riscv64gc-linux".parse()?, executable);
    let signer = Signer::new(account, service.parse()?)?;
    writer.write(&archive, &signer, Compression::Gzip, &Silent)?;
    let size = std::fs::metadata(&archive)?.len();
    println!("packed     {} ({size} bytes)", archive.display());

    let client =
        Client::new(ClientOptions::default().cache_directory(directory.path().join("cache")))?;
    let pushed = client.push(&archive, &reference, &BTreeMap::new()).await?;
    println!("pushed     {}", reference.pinned(&pushed.digest));

    // The operator: pull by reference. The file gets its name only after it was verified.
    let copy = directory.path().join("pulled.par.gz");
    let pulled = client.pull(&reference, Some(&copy), None).await?;
    let claims = &pulled.contents.claims;
    println!("pulled     {} ", pulled.path.display());
    println!("verified   signed by {}", claims.issuer());
    println!("           as provider {}", claims.subject());

    // The host: get the path of the executable for this machine from the cache, and start it.
    let fetched = client.fetch(&reference, &Target::host()).await?;
    println!("fetched    {}", fetched.path.display());
    let status = Command::new(&fetched.path).env(PROVIDER, "1").status()?;
    println!("provider   {status}");
    let again = client.fetch(&reference, &Target::host()).await?;
    println!("again      from the cache: {}", again.cached);
    Ok(())
}
