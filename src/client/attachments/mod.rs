//! Attachments: manifests that belong to another manifest, as its referrers or under tags made of its digest. What is
//! attached is made, found, verified, copied and deleted here.

mod attaching;
mod attachment;
mod bounds;
#[cfg(feature = "sigstore")]
mod bundles;
mod copying;
mod deletion;
mod discovered;
mod discovery;
mod reader;
#[cfg(feature = "cli")]
mod types;

pub use attaching::Attached;
pub(super) use attaching::{Attaching, Prepared};
pub use attachment::Attachment;
pub(super) use bounds::AttachedBounds;
#[cfg(feature = "sigstore")]
pub(super) use bundles::verify_bundles;
pub(super) use copying::{AttachedCopied, AttachedCopy, Found};
pub use deletion::TaggedReferrer;
pub(super) use deletion::{AttachedSearch, FoundAttachments};
pub use discovered::{Discovered, DiscoveredFile, DiscoveredManifest, Relation, Vouching};
pub(super) use discovery::Discovery;
pub(super) use reader::{AttachedManifest, AttachedReader, FetchedAttached};
#[cfg(feature = "cli")]
pub(crate) use types::AttachedTypes;
#[cfg(feature = "cli")]
pub(super) use types::attached_types;
