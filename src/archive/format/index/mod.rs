//! The index of an archive: where each entry is, so that one can be read without the others.
//!
//! A compressed archive carries it in the extra field of its gzip header: `field.rs` has the layout.
//! For a plain archive, the headers of the tar give the index.
//!
//! An index is a hint. Bytes that it leads to count only when they have the hash that the signed claims
//! name.

mod field;
mod places;

pub use places::{Index, IndexEntry};
