//! Content: bytes that are identified by their digest. All other layers build on this one.
//!
//! Content is addressed by a [`Descriptor`] (media type, [`Digest`], size). A storage, such as a registry, an OCI
//! image layout or the cache, implements a trait for each of its capabilities, such as [`Fetch`] and [`Push`]. Bytes
//! are verified only once a [`VerifyReader`] has finished over them, and a file gets its final name only through an
//! [`AtomicFile`] or [`publish`].

mod atomic;
mod blocking;
mod bounded;
mod causes;
mod date;
mod descriptor;
mod digest;
mod directory;
mod kind;
mod progress;
mod regular;
mod storage;
mod user_directory;
mod verify;

pub use atomic::{AtomicFile, is_temporary, publish};
pub(crate) use atomic::{LINKS, followed};
pub use blocking::RuntimeEnded;
pub(crate) use blocking::blocking;
pub(crate) use bounded::{is_too_large, read_bounded, read_file_bounded};
pub(crate) use causes::with_causes;
pub use date::rfc3339;
pub(crate) use date::{unix_seconds, unix_time};
pub use descriptor::Descriptor;
pub use digest::{Algorithm, Digest, Hasher, ParseDigestError};
pub use directory::create_private_directory;
pub(crate) use directory::{
    directory_of, is_absent, non_directory_at, temporary_directory_beside, try_lock_directory,
};
pub use kind::ErrorKind;
pub use progress::{Meter, MeteredReader, Progress, Silent, Step, Stopped};
pub use regular::open_regular;
pub(crate) use regular::{is_at, open_exclusive};
pub use storage::{
    Content, Delete, Fetch, ManifestName, Mount, Push, ReadStorage, Reader, Resolve, Source,
    StoreError,
};
pub(crate) use user_directory::{home, user_directory};
pub use verify::{DigestReader, VerifyError, VerifyReader};
