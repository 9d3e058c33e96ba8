//! Pack, sign, push, pull, verify and cache wasmCloud provider archives.
//!
//! A *provider archive* is a tar, often gzipped, that holds one executable per target and a signed
//! token which says who published it, which provider it is, and the hash of every executable. Archives
//! live in OCI registries, under references such as `ghcr.io/org/provider:1.0.0`.
//!
//! Two flows go through this crate. A developer packs and pushes:
//!
//! ```no_run
//! use wasmcloud_par::archive::{ArchiveWriter, Compression, Input, Key, KeyKind, Metadata, Signer, Target};
//! use wasmcloud_par::client::{Client, ClientOptions};
//! use wasmcloud_par::content::Silent;
//!
//! # async fn push() -> Result<(), Box<dyn std::error::Error>> {
//! let mut writer = ArchiveWriter::new(Metadata {
//!     name: Some("Key-value".into()),
//!     vendor: "Example".into(),
//!     ..Metadata::default()
//! });
//! writer.executable(Target::host(), Input::File("target/release/keyvalue".into()));
//! let subject = Key::generate(KeyKind::Service).public_key();
//! let signer = Signer::new(Key::generate(KeyKind::Account), subject.parse()?)?;
//! writer.write("keyvalue.par.gz".as_ref(), &signer, Compression::Gzip, &Silent)?;
//!
//! let client = Client::new(ClientOptions::default())?;
//! let reference = "ghcr.io/org/keyvalue:1.0.0".parse()?;
//! let pushed = client.push("keyvalue.par.gz".as_ref(), &reference, &Default::default()).await?;
//! println!("{}", reference.pinned(&pushed.digest));
//! # Ok(())
//! # }
//! ```
//!
//! And a host fetches what it is about to run, verified, from a cache:
//!
//! ```no_run
//! # use wasmcloud_par::{archive::Target, client::{Client, ClientOptions}};
//! # async fn fetch() -> Result<(), Box<dyn std::error::Error>> {
//! let client = Client::new(ClientOptions::default())?;
//! let reference = "ghcr.io/org/keyvalue:1.0.0".parse()?;
//! let fetched = client.fetch(&reference, &Target::host()).await?;
//! std::process::Command::new(&fetched.path).spawn()?;
//! # Ok(())
//! # }
//! ```
//!
//! A program that uses the `provider-archive` crate moves over by changing its `use` line to
//! `use wasmcloud_par::ProviderArchive`.
//!
//! The layers, from the ground up: [`content`]; then [`archive`], [`oci`] and [`cache`], which do not
//! know of each other; then [`client`].

pub mod archive;
pub mod cache;
#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod cli;
pub mod client;
pub mod content;
pub mod oci;

pub mod compat {
    //! The interface of the `provider-archive` crate, for programs that move over from it.

    pub use crate::archive::{ProviderArchive, ProviderArchiveResult as Result};
}

pub mod trust {
    //! Which publishers are trusted.

    pub use crate::cache::Identity;
    pub use crate::client::{ParsePatternError, Pattern, Pinning, Rule, TrustError, TrustPolicy};
}

pub use archive::{ProviderArchive, Target};
pub use client::{Client, ClientOptions, Error, Fetched, Lock, PullPolicy, TrustPolicy};
pub use content::{Digest, ErrorKind, Progress};
pub use oci::Reference;
