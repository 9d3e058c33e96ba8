//! The provider archive: packing, signing, reading and verifying it.
//!
//! A provider archive is a tar, plain or in one gzip member, that holds a signed token
//! (`claims.jwt`), an optional WIT world (`world.wasm`) and one executable per target
//! (`x86_64-linux.bin`). This layer knows the format and nothing of networks or caches.
//!
//! - [`ArchiveWriter`] packs any number of targets in one pass.
//! - [`verify`], [`extract`] and [`load`] read in one bounded, streaming pass. It checks the signature,
//!   the key types, the dates and the hash of every entry, whichever was asked for: the functions that
//!   hand out bytes hand out nothing before the whole archive has passed.
//! - [`verify_file`] checks as much, on all cores when the archive carries an [`Index`].
//! - [`extract_file`] takes one executable by the index of an archive, when it has one, and reads
//!   nothing else.
//! - [`edit`] changes a finished archive, signs it again and keeps its identity; [`insert`] adds targets.
//! - [`Executable`] tells whether a file can be an executable for a target.
//! - [`KeyDirectories`] finds the seeds that `wash` has written.
//! - [`ProviderArchive`] is the face that users of the `provider-archive` crate know.

mod claims;
mod digests;
mod edit;
mod entries;
mod error;
mod executable;
mod extract;
mod fingerprints;
mod gzip;
mod hashing;
mod index;
mod input;
mod keys;
mod limits;
mod parallel;
mod pax;
pub mod provider_archive;
mod ranged;
mod reader;
mod signer;
mod skeleton;
mod tar_stream;
mod tar_writer;
mod target;
#[cfg(feature = "wit")]
mod world;
mod writer;

pub use claims::{Metadata, UnverifiedClaims, VerifiedClaims};
pub use edit::{Identity, edit, insert};
pub use error::Error;
pub use executable::Executable;
pub use extract::{Loaded, extract, load};
pub(crate) use gzip::is_compressed;
pub use index::{Index, IndexEntry};
pub use input::Input;
pub use keys::{KeyDirectories, KeyFile, KeyKind, KeyOrigin};
pub use limits::Limits;
pub use parallel::verify_file;
pub use provider_archive::ProviderArchive;
pub use ranged::extract_file;
pub(crate) use ranged::{read_head, write_executable};
pub use reader::{Contents, read_claims, verify};
pub use signer::Signer;
pub use target::{ParseTargetError, Target};
#[cfg(feature = "wit")]
pub use world::{encode_world, print_world};
pub use writer::{ArchiveWriter, Compression};

/// The entry that holds the signed token.
pub const CLAIMS_ENTRY: &str = "claims.jwt";

/// The entry that holds the WIT world, and its key among the hashes of the claims.
pub const WORLD_ENTRY: &str = "world.wasm";
