//! The ground floor: bytes with a name.
//!
//! Content is addressed by a [`Descriptor`] (media type, [`Digest`], size). A [`Store`] keeps it: a
//! registry, an OCI image layout and the cache are all stores, so that pushing, pulling and copying
//! are one motion. Bytes count only once a [`VerifyReader`] has finished over them, and they get
//! their final name only through an [`AtomicFile`].

mod atomic;
mod descriptor;
mod digest;
mod kind;
mod lanes;
mod progress;
mod steady;
mod store;
mod verify;

pub use atomic::{AtomicFile, create_private_folder, is_temporary, open_regular, publish};
pub use descriptor::Descriptor;
pub use digest::{Algorithm, Digest, Hasher, ParseDigestError};
pub use kind::ErrorKind;
pub(crate) use lanes::{LANES, LaneHasher, update_together};
pub use progress::{Meter, MeteredReader, Progress, Silent, Stopped};
pub(crate) use steady::SteadyFile;
pub use store::{Reader, Source, Store, StoreError};
pub use verify::{DigestReader, VerifyError, VerifyReader};
