//! Verifying an archive on all cores, by its index.
//!
//! The index says where the parts of each executable are. Threads inflate them at the same time and hash
//! them (`digests.rs`). What is between the executables (headers, padding, claims, the world) makes up a
//! skeleton of the tar (`skeleton.rs`), which is then read like any other tar.
//!
//! Every byte of the file is accounted for. Each is in the gzip header, in exactly one part, or in the
//! trailer. Each part is proven to be one ([`Seal`](crate::archive::format::gzip::Seal)). The checksum
//! and the length of all parts have to be those of the trailer. So a reader that begins at the start of
//! the archive sees the same content.

mod digests;
mod skeleton;
mod source;
mod verify_file;

pub use verify_file::verify_file;
pub(crate) use verify_file::verify_file_with;
