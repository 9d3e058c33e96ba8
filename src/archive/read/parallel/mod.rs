//! Verifying an archive on all cores, by its index.
//!
//! The index gives the places of the parts of each executable. Several threads inflate and hash the parts
//! (`digests.rs`). The bytes between the executables (headers, padding, claims, the world) make up a skeleton of the
//! tar (`skeleton.rs`), which is then read like any other tar.
//!
//! No byte of the file is left out: each byte is in the gzip header, in exactly one part, or in the trailer. Each part
//! is proven to be a whole part ([`Seal`](crate::archive::format::gzip::Seal)). The checksum and the length of all
//! parts must equal those in the trailer. So a reader that begins at the start of the archive sees the same content.

mod digests;
mod skeleton;
mod source;
mod verify_file;

pub use verify_file::verify_file;
pub(crate) use verify_file::verify_file_with;
