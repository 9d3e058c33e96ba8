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
//! - [`verify_file`] checks as much, on all cores when the archive carries an [`Index`].
//! - [`extract_file`] takes one executable by the index of an archive, when it has one, and reads
//!   nothing else.
//! - [`edit`] changes an existing archive, signs it again and keeps its identity; [`insert`] adds targets.
//! - [`Executable`] tells whether a file can be an executable for a target.
//! - [`KeyDirectories`] finds the seeds that `wash` has written.
//! - [`ProviderArchive`] has the interface of the `provider-archive` crate.
//!
//! Inside, `format` knows how bytes are laid out (tar, gzip, index), `read` verifies, `write` packs and
//! signs. Each uses those before it, and all of them use the files of this directory.

mod claims;
mod compression;
mod entry_names;
mod error;
mod executable;
mod format;
mod hashing;
mod keys;
mod limits;
pub mod provider_archive;
mod read;
mod target;
mod time;
#[cfg(feature = "wit")]
mod world;
mod write;

pub use claims::{Metadata, UnverifiedClaims, VerifiedClaims};
pub use compression::Compression;
pub use entry_names::{CLAIMS_ENTRY, WORLD_ENTRY};
pub use error::Error;
pub use executable::Executable;
pub(crate) use format::is_compressed;
pub use format::{Index, IndexEntry};
pub use keys::{Issuer, KeyDirectories, KeyFile, KeyKind, KeyOrigin, Subject};
pub use limits::Limits;
pub use provider_archive::ProviderArchive;
pub use read::{Contents, Loaded, extract, extract_file, load, read_claims, verify, verify_file};
pub(crate) use read::{read_head, write_executable};
pub use target::{ParseTargetError, Target};
#[cfg(feature = "cli")]
pub(crate) use time::{from_unix, to_unix};
#[cfg(feature = "wit")]
pub use world::{encode_world, print_world};
pub use write::{ArchiveWriter, Identity, Input, Signer, edit, insert};
