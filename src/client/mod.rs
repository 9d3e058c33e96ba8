//! The operations of users: push, pull, fetch, copy, inspect, extract and more.
//!
//! This is the only layer that knows archives, registries and the cache. An archive is handed out only after all of it
//! has been verified. An executable that is fetched without the rest of its archive is handed out only if it has the
//! hash that verified claims sign.
//!
//! A verb is a method of [`Client`], in the file of its name. The verbs share `lookup`, which finds the manifest and
//! the archive of a reference, `admission`, which decides whether an archive may be used, `transfer`, which sends
//! content, and `attachments`, which finds and makes what belongs to a manifest.

mod about;
mod admission;
mod annotations;
mod attach;
mod attachments;
mod blocking;
#[allow(
    clippy::module_inception,
    reason = "the facade is named after the layer"
)]
mod client;
mod copy;
mod delete;
#[cfg(feature = "cli")]
mod describe_cache;
mod discover;
mod doctor;
mod error;
mod export;
mod extract;
mod fetch;
mod fetched;
mod freshness;
mod host;
mod identity_check;
mod image;
mod inspect;
mod lock;
mod lookup;
mod mirror;
mod open_layouts;
mod options;
mod outcomes;
mod publisher;
mod pull;
mod push;
mod push_options;
mod ranged;
mod require;
mod resolve;
mod retention;
mod root;
mod shared;
mod signed;
#[cfg_attr(
    not(feature = "sigstore"),
    allow(dead_code, reason = "nothing is signed without the feature")
)]
pub(crate) mod signing;
pub(crate) mod sigstore;
mod summary;
mod tagging;
mod tags;
mod toml_problem;
mod transfer;
pub(crate) mod trust;
mod trust_report;
mod watch;
mod wildcard;

pub use attachments::{
    Attached, Attachment, Discovered, DiscoveredFile, DiscoveredManifest, Relation, TaggedReferrer,
    Vouching,
};
use blocking::blocking;
pub use client::Client;
use client::note_digest;
pub use copy::{Copied, CopyOptions};
pub use delete::{DeletedTag, Deletion};
pub use doctor::{Advice, Check, Diagnosis, Finding, Verdict};
pub use error::Error;
pub use fetched::Fetched;
pub use freshness::Freshness;
pub use host::{HostProblem, host_problems};
pub use image::{ExportOptions, Exported, ExportedImage};
pub use inspect::Inspected;
pub use lock::{Lock, LockError, Locked, LockedIdentity, LockedRoot};
pub use mirror::{
    MirrorDestination, MirrorHosts, MirrorOptions, MirrorSource, MirrorState, Mirrored,
    MirroredArtifact,
};
pub use options::{ClientOptions, PullPolicy};
pub use outcomes::Outcomes;
pub use pull::Pulled;
pub use push::Pushed;
pub use push_options::PushOptions;
pub use retention::{KeepReason, KeptTag, PruneOutcome, PrunePlan, PrunedManifest, Retention};
pub use signed::Attested;
pub use summary::{Summarized, Summary};
pub use tagging::TagChange;
pub use tags::{TagDetails, TagOptions, Tagged};
pub use transfer::LeftOut;
pub use trust_report::TrustReport;
pub use watch::Moved;

#[cfg(feature = "cli")]
pub(crate) use attachments::AttachedTypes;
#[cfg(feature = "cli")]
pub(crate) use describe_cache::describe_cache;
#[cfg(feature = "cli")]
pub(crate) use trust::pin_name;
#[cfg(feature = "cli")]
pub(crate) use trust::{TrustError, TrustPolicy};
