//! The layout of an archive: the entries of the tar, the gzip member around it, and the index with the place of each
//! entry.

pub(super) mod entries;
pub(super) mod gzip;
mod index;
mod pax;
pub(super) mod tar_stream;

pub(crate) use gzip::is_compressed;
pub use index::{Index, IndexEntry};
