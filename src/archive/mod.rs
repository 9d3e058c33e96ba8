//! The provider archive: packing, signing, reading and verifying it.
//!
//! A provider archive is a tar, plain or in one gzip member. It holds a signed token (`claims.jwt`), an
//! optional WIT world (`world.wasm`) and one executable per target (`x86_64-linux.bin`). This layer knows
//! the format and nothing of networks or caches.
//!
//! - [`ArchiveWriter`] packs any number of targets in one pass.
//! - [`verify`], [`extract`] and [`load`] read in one bounded, streaming pass. The pass checks the
//!   signature, the key types, the dates and the hash of every entry, whichever target was asked for.
//!   No function hands out bytes before the whole archive has been verified.
//! - [`verify_file`] makes the same checks, on all cores when the archive carries an index.
//! - [`extract_file`] extracts one executable. When the archive has a correct index, no other executable is read.
//! - [`edit`] changes an existing archive, signs it again and keeps its identity; [`insert`] adds targets.
//! - A [`Key`] signs; a [`Signer`] combines the key of the issuer with the subject.
//!
//! Inside, `format` has the layout of the bytes (tar, gzip, index), `read` verifies, and `write` packs and signs. Each
//! of these directories uses only those before it in this list. All of them use the files of this directory.

#[cfg_attr(not(feature = "internals"), allow(unreachable_pub))]
mod claims;
mod compression;
mod entry_names;
mod error;
mod executable;
#[cfg_attr(not(feature = "internals"), allow(unreachable_pub))]
mod format;
mod hashing;
mod keys;
mod limits;
#[cfg(feature = "cli")]
mod materials;
mod platform_names;
pub(crate) mod provider_archive;
#[cfg_attr(not(feature = "internals"), allow(unreachable_pub))]
mod read;
mod repeated_keys;
mod rotation;
mod target;
mod token;
#[cfg(feature = "wit")]
mod world;
mod write;

#[cfg(feature = "cli")]
pub(crate) use crate::content::{unix_seconds as to_unix, unix_time as from_unix};
pub(crate) use claims::{Dates, UnverifiedClaims};
pub use claims::{Metadata, VerifiedClaims};
pub use compression::Compression;
pub use error::Error;
#[cfg(feature = "cli")]
pub(crate) use executable::Executable;
pub use executable::{ExecutableFacts, ExecutableFormat, Linking};
pub(crate) use executable::{defined_glibc, is_newer};
pub(crate) use format::is_compressed;
pub(crate) use format::{Index, IndexEntry};
#[cfg(feature = "cli")]
pub(crate) use keys::{GivenKey, KeyDirectories, KeyFile, KeyOrigin, may_hold_seed};
pub use keys::{Issuer, Key, KeyKind, Subject};
pub use limits::Limits;
#[cfg(feature = "cli")]
pub(crate) use materials::{
    Ecosystem, Materials, MaterialsError, Package, PackageSource, read_materials,
};
pub use read::{Contents, Loaded, extract, extract_file, load, verify, verify_file};
pub(crate) use read::{
    extract_chosen, read_claims, read_claims_with, read_head, verify_file_with, verify_with,
    write_executable,
};
pub use rotation::Rotation;
pub(crate) use target::RequestedTarget;
pub use target::{ParseTargetError, Target};
#[cfg(feature = "cli")]
pub(crate) use world::WIT_THREAD;
#[cfg(feature = "wit")]
pub use world::{encode_world, print_world};
pub use write::{ArchiveWriter, Identity, Input, Signer, edit, insert};
pub(crate) use write::{LayerEntry, write_image_layer};

/// Items that only the tests of this project use. They can change with every version.
#[cfg(feature = "internals")]
#[doc(hidden)]
pub mod internals {
    pub use super::claims::UnverifiedClaims;
    pub use super::format::{Index, IndexEntry};
    pub use super::read::read_claims;
}
