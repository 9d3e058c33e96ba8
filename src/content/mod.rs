//! The ground floor: bytes with a name.
//!
//! Content is addressed by a [`Descriptor`] (media type, [`Digest`], size). A [`Store`] keeps it: a
//! registry, an OCI image layout and the cache are all stores, so that pushing, pulling and copying
//! are one motion. Bytes count only once a [`VerifyReader`] has finished over them, and they get
//! their final name only through an [`AtomicFile`].

mod atomic;
mod causes;
mod date;
mod descriptor;
mod digest;
mod folder;
mod kind;
mod lanes;
mod progress;
mod regular;
mod steady;
mod store;
mod user_folder;
mod verify;

pub use atomic::{AtomicFile, is_temporary, publish};
pub(crate) use atomic::{LINKS, followed};
pub(crate) use causes::whole;
pub use date::rfc3339;
pub use descriptor::Descriptor;
pub use digest::{Algorithm, Digest, Hasher, ParseDigestError};
pub use folder::create_private_folder;
pub(crate) use folder::{
    folder_of, in_place_of_a_folder, is_absent, temporary_folder_beside, try_lock_folder,
};
pub use kind::ErrorKind;
pub(crate) use lanes::{LANES, LaneHasher, update_together};
pub use progress::{Meter, MeteredReader, Progress, Silent, Step, Stopped};
pub use regular::open_regular;
pub(crate) use regular::{is_same, open_exclusive};
pub(crate) use steady::SteadyFile;
pub use store::{Reader, Source, Store, StoreError};
pub(crate) use user_folder::{home, user_folder};
pub use verify::{DigestReader, VerifyError, VerifyReader};
