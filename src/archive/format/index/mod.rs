//! The index of an archive. It gives the place of each entry, so that one entry can be read without the others.
//!
//! A compressed archive has its index in the extra field of the gzip header. `field.rs` describes the format. The index
//! of a plain archive is made from the headers of the tar.
//!
//! An index is a hint and is not trusted. The bytes to which it leads are used only when they have the hash in the
//! signed claims.

mod field;
mod places;

pub use places::{Index, IndexEntry};
