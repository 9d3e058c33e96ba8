//! Content: bytes that are identified by their digest. All other layers build on this one.
//!
//! Content is addressed by a [`Descriptor`] (media type, [`Digest`], size). A storage, such as a registry, an OCI
//! image layout or the cache, implements a trait for each of its capabilities, such as `Fetch` and `Push`. Bytes
//! are verified only once a `VerifyReader` has finished over them, and a file gets its final name only through an
//! `AtomicFile` or `publish`.

mod answering_hosts;
mod atomic;
mod blocking;
mod bounded;
mod causes;
mod date;
mod descriptor;
#[cfg_attr(not(feature = "internals"), allow(unreachable_pub))]
mod digest;
mod directory;
mod file_reader;
mod first_few;
mod kind;
mod leftovers;
mod line_and_column;
mod locks;
mod mounts;
mod progress;
#[cfg_attr(not(feature = "internals"), allow(unreachable_pub))]
mod referrers;
mod regular;
#[cfg_attr(not(feature = "internals"), allow(unreachable_pub))]
mod storage;
mod store_error;
mod temporary;
mod unchanged;
mod uploads;
mod user_directory;
mod verify;
mod workers;

pub(crate) use answering_hosts::AnsweringHosts;
#[cfg(unix)]
pub(crate) use atomic::LINKS;
pub(crate) use atomic::{AtomicFile, followed, give_second_name, publish, set_mode};
pub use blocking::RuntimeEnded;
pub(crate) use blocking::{LONG_WORK, Share, blocking};
pub(crate) use bounded::{is_too_large, read_bounded, read_file_bounded};
pub(crate) use causes::{is_stopped, with_causes};
#[cfg(feature = "cli")]
pub(crate) use date::time_text;
pub(crate) use date::{rfc3339, unix_seconds, unix_time};
pub use descriptor::Descriptor;
pub(crate) use descriptor::MANIFEST_LIMIT;
pub(crate) use digest::{Algorithm, Hasher};
pub use digest::{Digest, ParseDigestError};
pub(crate) use directory::{
    create_private_directory, directory_of, if_found, if_there, is_absent, link_to_nothing,
    non_directory_at, try_lock_directory,
};
pub(crate) use file_reader::file_reader;
pub(crate) use first_few::first_few;
pub use kind::ErrorKind;
pub(crate) use leftovers::is_temporary;
pub(crate) use line_and_column::line_and_column;
pub(crate) use locks::{Locking, locked_when_free, shared_when_free};
pub(crate) use mounts::is_noexec;
pub(crate) use progress::MeteredReader;
pub use progress::{Meter, Progress, Silent, Step, Stopped};
pub(crate) use referrers::{ListOrigin, ListedFirst, Referrer, ReferrerList, Referrers};
pub(crate) use regular::{
    is_at, is_ours, open_exclusive, open_itself, open_regular, open_unless_pipe,
};
pub(crate) use storage::{
    Content, Delete, Fetch, Listing, ManifestName, Mount, Push, ReadStorage, Reader, Resolve,
    Source, Stored,
};
pub use store_error::StoreError;
pub(crate) use temporary::TemporaryDirectory;
pub(crate) use unchanged::UnchangedFile;
pub(crate) use uploads::{UploadSlot, Uploads};
pub(crate) use user_directory::{home, user_directory};
pub use verify::VerifyError;
pub(crate) use verify::{DigestReader, VerifyReader};
#[cfg(feature = "cli")]
pub(crate) use workers::close as close_workers;

/// Items for the tests of this project only. They can change with every version.
#[cfg(feature = "internals")]
#[doc(hidden)]
pub mod internals {
    pub use super::digest::{Algorithm, Hasher};
    pub use super::referrers::{ListOrigin, ListedFirst, Referrer, ReferrerList, Referrers};
    pub use super::storage::{
        Content, Delete, Fetch, ManifestName, Mount, Push, ReadStorage, Reader, Resolve, Source,
        Stored,
    };
}
