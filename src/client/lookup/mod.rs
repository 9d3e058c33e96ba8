//! Finding the manifest, the claims and the index, and the archive that a reference stands for.
//!
//! [`Resolution`] finds out which manifest a reference stands for. [`Lookup`] has read that manifest. It returns what
//! is known without downloading the archive as a [`Preview`], and the archive itself as a [`CachedArchive`].

mod archive;
mod describe;
mod full;
mod layouts;
mod manifest;
mod no_answer;
mod origin;
mod preview;
mod record;
mod resolution;
mod start;
mod storage;

pub(super) use archive::CachedArchive;
#[cfg(feature = "cli")]
pub(super) use describe::provider_in;
pub(super) use full::Extracted;
pub(super) use layouts::{Storage, change_layout, open_layout, read_layout};
pub(super) use preview::{Preview, read_range};
#[cfg(feature = "cli")]
pub(super) use resolution::OFFLINE_WAIT;
pub(super) use resolution::Resolution;
pub(super) use start::Lookup;
pub(super) use storage::{LATEST, check_allowed, named, push_storage, read_storage};
