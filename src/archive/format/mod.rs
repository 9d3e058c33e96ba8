//! How the bytes of an archive are laid out: the entries of the tar, the gzip member around it, and the
//! index that says where each entry is.

pub(super) mod entries;
pub(super) mod gzip;
mod index;
mod pax;
pub(super) mod tar_stream;

pub(crate) use gzip::is_compressed;
pub use index::{Index, IndexEntry};
