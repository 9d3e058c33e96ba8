//! From a reference to a manifest, to claims and index, and to an archive in the cache.
//!
//! [`Resolution`] says which manifest a reference stands for. [`Lookup`] has read that manifest, and gives what
//! is known without the archive as a [`Preview`], and the archive itself as a [`CachedArchive`].

mod archive;
mod full;
mod manifest;
mod origin;
mod preview;
mod record;
mod resolution;
mod start;

pub(super) use archive::CachedArchive;
pub(super) use preview::{Preview, fall_back_to_full_download, read_range};
pub(super) use resolution::Resolution;
pub(super) use start::Lookup;
