//! Pack, sign, push, pull, verify and cache wasmCloud provider archives.
//!
//! A *provider archive* is a tar, often gzipped, that holds one executable per target and a signed
//! token. The token says which account published the archive (the *issuer*, `A…`), which provider it is
//! (the *subject*, `V…`), and the hash of every executable. Archives live in OCI registries, under
//! references such as `ghcr.io/org/provider:1.0.0`, or in OCI image layouts, which are directories
//! (`oci-layout://DIRECTORY:1.0.0`) or files (`oci-archive://FILE.tar:1.0.0`).
//!
//! A publisher packs an archive with an [`ArchiveWriter`](archive::ArchiveWriter). Everything that
//! involves a registry or the cache is a method of [`Client`]. Its futures need a Tokio runtime with time
//! and input/output enabled.
//!
//! # A publisher and a host
//!
//! This program packs an executable, signs the archive, pushes it, and fetches and starts it as a host does. It works
//! in the same way with a reference in a registry, such as `ghcr.io/org/hello:1.0.0`.
//!
//! ```
//! use std::collections::BTreeMap;
//! use std::error::Error;
//! use std::process::Command;
//!
//! use wasmcloud_par::archive::{
//!     ArchiveWriter, Compression, Input, Key, KeyKind, Metadata, Signer,
//! };
//! use wasmcloud_par::progress::Silent;
//! use wasmcloud_par::{Client, ClientOptions, Reference, Target};
//!
//! #[tokio::main]
//! async fn main() -> Result<(), Box<dyn Error>> {
//!     let directory = tempfile::tempdir()?;
//!     let layout = directory.path().join("registry");
//!     let reference: Reference = format!("oci-layout://{}:1.0.0", layout.display()).parse()?;
//!     // One client per process: it holds connections, tokens, the cache and the trust policy.
//!     let client = Client::new(
//!         ClientOptions::default().cache_directory(directory.path().join("cache")),
//!     )?;
//!
//!     // The publisher packs one executable per target. Keep both keys: they are the identity of the
//!     // provider in all its versions. `Key::from_seed` reads the seed of an existing key.
//!     let account = Key::generate(KeyKind::Account);
//!     let service = Key::generate(KeyKind::Service);
//!     let mut writer = ArchiveWriter::new(Metadata {
//!         name: Some("Hello".to_owned()),
//!         vendor: "Example".to_owned(),
//!         revision: Some(1),
//!         ..Metadata::default()
//!     });
//!     writer.executable(Target::host(), Input::Bytes("#!/bin/sh\necho hello\n".into()));
//!     let archive = directory.path().join("hello.par.gz");
//!     let signer = Signer::new(account, service.public_key().parse()?)?;
//!     writer.write(&archive, &signer, Compression::Gzip, &Silent)?;
//!     let pushed = client.push(&archive, &reference, &BTreeMap::new()).await?;
//!     println!("pushed {}", reference.pinned(&pushed.digest));
//!
//!     // The host gets the path of a verified executable. The next fetch finds it in the cache.
//!     let fetched = client.fetch(&reference, &Target::host()).await?;
//!     println!("issuer {}, subject {}", fetched.claims.issuer(), fetched.claims.subject());
//!     let status = Command::new(&fetched.path).status()?;
//!     assert!(status.success());
//!     assert!(client.fetch(&reference, &Target::host()).await?.cached);
//!     Ok(())
//! }
//! ```
//!
//! A host that runs for a long time [watches](Client::watch) the tags of its providers, and [fetches](Client::fetch) a
//! provider again when its tag moves. `examples/host.rs` in the repository does so. It also starts an executable again
//! that was busy at first. [`PullPolicy`] decides when a registry is asked, and [`Fetched::freshness`] says whether the
//! registry answered. A [`Lock`] restricts a client to the digests and publishers of one deployment.
//!
//! # What a client depends on
//!
//! By default, a client uses the settings of the user, as the command does: credentials of Docker and Podman, mirrors,
//! proxies, a trust policy. [`ClientOptions::isolated`] uses none of them. [`ClientOptions::for_registry`] sets how one
//! registry is reached, and a [`CredentialProvider`](oci::CredentialProvider) returns the credentials for a repository.
//!
//! # Who may publish
//!
//! The signature of every archive is verified. A [`TrustPolicy`] decides which publishers are allowed. By default, the
//! client reads the policy file of the user. Without that file, it pins: the first fetch from a repository records
//! issuer and subject, and later archives must have the same.
//!
//! ```
//! # use std::collections::BTreeMap;
//! # use std::error::Error as StdError;
//! use wasmcloud_par::archive::{Issuer, Key, KeyKind};
//! use wasmcloud_par::trust::{Rule, TrustError};
//! use wasmcloud_par::{Client, ClientOptions, Error, ErrorKind, TrustPolicy};
//!
//! # use wasmcloud_par::{Reference, Target, progress::Silent};
//! # use wasmcloud_par::archive::{ArchiveWriter, Compression, Input, Metadata, Signer};
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn StdError>> {
//! # let directory = tempfile::tempdir()?;
//! # let layout = directory.path().join("registry");
//! # let reference: Reference = format!("oci-layout://{}:1.0.0", layout.display()).parse()?;
//! # let options = || ClientOptions::default().cache_directory(directory.path().join("cache"));
//! # let service = Key::generate(KeyKind::Service).public_key().parse()?;
//! # let mut writer = ArchiveWriter::new(Metadata::default());
//! # writer.executable(Target::host(), Input::Bytes("#!/bin/sh\n".into()));
//! # let archive = directory.path().join("hello.par.gz");
//! # let signer = Signer::new(Key::generate(KeyKind::Account), service)?;
//! # writer.write(&archive, &signer, Compression::Gzip, &Silent)?;
//! # let client = Client::new(options().trust(TrustPolicy::anyone()))?;
//! # client.push(&archive, &reference, &BTreeMap::new()).await?;
//! // The account that may publish. It has not signed this archive.
//! let issuer: Issuer = Key::generate(KeyKind::Account).public_key().parse()?;
//! let policy = TrustPolicy::default()
//!     .with_rule(Rule::new("oci-layout".parse()?).allow_issuer(&issuer));
//! let client = Client::new(options().trust(policy))?;
//! let error = client.fetch(&reference, &Target::host()).await.unwrap_err();
//! match error.as_trust() {
//!     Some(TrustError::UntrustedIssuer { issuer, .. }) => println!("not by {issuer}"),
//!     _ => panic!("the policy must refuse: {error:?}"),
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # Errors
//!
//! Each error has a [kind](Error::kind), by which a program can decide what to do. To match on an error, call
//! [`Error::root`]: it unwraps [`Error::Shared`], the error of tasks that share one fetch, and [`Error::Store`], if a
//! storage failed with such an error. [`Error::as_trust`] and [`Error::as_oci`] do so too. The sources of an error are
//! its causes. [`Error::is_stopped`] tells that the progress of the program stopped the work.
//!
//! ```
//! use wasmcloud_par::trust::TrustError;
//! use wasmcloud_par::{Client, ClientOptions, Error, ErrorKind, Target};
//!
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let directory = tempfile::tempdir()?;
//! let options = ClientOptions::default().cache_directory(directory.path());
//! let client = Client::new(options)?;
//! let missing = "oci-layout:///nonexistent:1.0.0".parse()?;
//! let error = client.fetch(&missing, &Target::host()).await.unwrap_err();
//! match error.root() {
//!     // Another account or provider publishes in this repository now. A person has to decide.
//!     Error::Trust(TrustError::IdentityChanged { changes, .. }) => println!("{changes:?}"),
//!     error => match error.kind() {
//!         ErrorKind::Unavailable => println!("try again later: {error}"),
//!         ErrorKind::NotVerified => println!("do not run this: {error}"),
//!         ErrorKind::NotFound => println!("no such archive: {error}"),
//!         _ => println!("{error}"),
//!     },
//! }
//! assert_eq!(error.kind(), ErrorKind::NotFound);
//! # Ok(())
//! # }
//! ```
//!
//! # Progress
//!
//! A [`Progress`] observes long steps. Its meters can also stop them. [`Progress::begin_for`] tells which reference a
//! step is for, when a client works on several.
//!
//! ```
//! use std::io;
//! use std::sync::Arc;
//! use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
//!
//! use wasmcloud_par::progress::{Meter, Progress, Step, Stopped};
//! use wasmcloud_par::{Client, ClientOptions};
//!
//! /// Prints how many bytes each step has processed, until a stop is requested.
//! #[derive(Default)]
//! struct Printer {
//!     stop: Arc<AtomicBool>,
//! }
//!
//! struct Bytes {
//!     step: Step,
//!     done: AtomicU64,
//!     stop: Arc<AtomicBool>,
//! }
//!
//! impl Progress for Printer {
//!     fn begin(&self, step: Step, _total: u64) -> Box<dyn Meter> {
//!         Box::new(Bytes { step, done: AtomicU64::new(0), stop: Arc::clone(&self.stop) })
//!     }
//!
//!     fn begin_for(&self, reference: &str, step: Step, total: u64) -> Box<dyn Meter> {
//!         println!("{reference}: {step:?} of {total} bytes");
//!         self.begin(step, total)
//!     }
//! }
//!
//! impl Meter for Bytes {
//!     fn advance(&self, bytes: u64) -> io::Result<()> {
//!         self.done.fetch_add(bytes, Ordering::Relaxed);
//!         if self.stop.load(Ordering::Relaxed) {
//!             return Err(Stopped.into());
//!         }
//!         Ok(())
//!     }
//! }
//!
//! impl Drop for Bytes {
//!     fn drop(&mut self) {
//!         println!("{:?}: {} bytes", self.step, self.done.load(Ordering::Relaxed));
//!     }
//! }
//!
//! # fn main() -> Result<(), wasmcloud_par::Error> {
//! let client = Client::new(ClientOptions::default().progress(Arc::new(Printer::default())))?;
//! # Ok(())
//! # }
//! ```
//!
//! # Where to find the rest
//!
//! - [`archive`]: packing, signing, editing and reading archives.
//! - [`client`]: what the methods of [`Client`] return.
//! - [`trust`]: policies, rules and pins.
//! - [`signing`]: signing with Sigstore, in CI.
//! - [`oci`]: references, and how registries are reached: credentials, certificates, retries.
//! - [`cache`]: listing, checking and pruning the cache.
//! - [`progress`]: observing and stopping long steps.
//! - [`compat`]: the interface of the `provider-archive` crate. [`Client::fetch_provider`] has the
//!   signature of the function that wasmCloud hosts call.
//!
//! The features `cli` and `sigstore` are on by default. Without `cli`, the crate is only the library. With `sigstore`,
//! the library verifies the Sigstore identities that a policy demands, and signs. Without it, such a policy refuses
//! everything, and signing fails. The feature `wit` is part of `cli`. With it, [`archive`] also encodes and prints WIT
//! worlds.

pub mod archive;
pub mod cache;
#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod cli;
pub mod client;
pub mod content;
pub mod oci;

pub mod compat {
    //! The interface of the `provider-archive` crate, for programs that migrate from it.

    pub use crate::archive::provider_archive::{ProviderArchive, Result};
}

pub mod progress {
    //! Observing long steps, and stopping them.

    pub use crate::content::{Meter, Progress, Silent, Step, Stopped};
}

pub mod signing {
    //! Signing with Sigstore: identity tokens, statements and instances.

    pub use crate::client::signing::{
        GitHubTokens, IdentityToken, Predicate, SigningError, SigstoreSigner, TokenSource,
    };
}

pub mod trust {
    //! Which publishers are trusted: policies, rules and pins.

    pub use crate::cache::{FormerIssuer, Pin};
    pub use crate::client::sigstore::{
        BundleError, LogEntry, SigstoreIdentity, SigstoreRoot, SigstoreRule, TrustedRootError,
    };
    pub use crate::client::trust::{
        ParsePatternError, Pattern, Pinning, Rule, Stale, TrustError, TrustPolicy,
    };
}

pub use archive::Target;
pub use client::{Client, ClientOptions, Error, Fetched, Lock, PullPolicy};
pub use compat::ProviderArchive;
pub use content::{Digest, ErrorKind};
pub use oci::Reference;
pub use progress::Progress;
pub use trust::TrustPolicy;

/// Compiles the examples in the documents of the repository.
#[cfg(doctest)]
mod documents {
    #[doc = include_str!("../README.md")]
    struct Readme;
    #[doc = include_str!("../docs/cache.md")]
    struct Cache;
    #[doc = include_str!("../docs/deployments.md")]
    struct Deployments;
    #[doc = include_str!("../docs/embedding.md")]
    struct Embedding;
    #[doc = include_str!("../docs/keys.md")]
    struct Keys;
    #[doc = include_str!("../docs/registries.md")]
    struct Registries;
    #[doc = include_str!("../docs/trust.md")]
    struct Trust;
}
