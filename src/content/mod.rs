//! Content: bytes that are identified by their digest. All other layers build on this one.
//!
//! Content is addressed by a [`Descriptor`] (media type, [`Digest`], size). A [`Store`] keeps it: a
//! registry, an OCI image layout and the cache are stores, so that a push, a pull and a copy are transfers
//! between two of them. Bytes are verified only once a [`VerifyReader`] has finished over them, and a file
//! gets its final name only through an [`AtomicFile`] or [`publish`].

mod atomic;
mod blocking;
mod bounded;
mod causes;
mod date;
mod descriptor;
mod digest;
mod directory;
mod kind;
mod lanes;
mod progress;
mod regular;
mod steady;
mod store;
mod user_directory;
mod verify;

pub use atomic::{AtomicFile, is_temporary, publish};
pub(crate) use atomic::{LINKS, followed};
pub use blocking::RuntimeEnded;
pub(crate) use blocking::blocking;
pub(crate) use bounded::{is_too_large, read_bounded, read_file_bounded};
pub(crate) use causes::whole;
pub use date::rfc3339;
pub(crate) use date::{unix_seconds, unix_time};
pub use descriptor::Descriptor;
pub use digest::{Algorithm, Digest, Hasher, ParseDigestError};
pub use directory::create_private_folder;
pub(crate) use directory::{
    folder_of, in_place_of_a_folder, is_absent, temporary_folder_beside, try_lock_folder,
};
pub use kind::ErrorKind;
pub(crate) use lanes::{LANES, LaneHasher, update_together};
pub use progress::{Meter, MeteredReader, Progress, Silent, Step, Stopped};
pub use regular::open_regular;
pub(crate) use regular::{is_at, open_exclusive};
pub(crate) use steady::SteadyFile;
pub use store::{Reader, Source, Store, StoreError};
pub(crate) use user_directory::{home, user_folder};
pub use verify::{DigestReader, VerifyError, VerifyReader};
