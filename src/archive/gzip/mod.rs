//! The compression around the tar: none, or one gzip member (RFC 1952).
//!
//! Every reader of gzip accepts the member, but it is more than one run of deflate:
//!
//! ```text
//! header [extra field]            member.rs
//! part, part, part, …             encoder.rs: content in blocks of 2 MiB, compressed by workers.rs,
//!                                 or content that was not known yet and came last, stored
//! empty last block                stitch.rs
//! checksum, length                member.rs
//! ```
//!
//! A part begins and ends at a whole byte and refers to nothing before it, so that parts are compressed
//! at the same time, and each can be inflated alone. They are made by `libdeflate`, which gives whole
//! streams; `stitch.rs` makes parts of those, with the codes that `huffman.rs` reads. `part.rs` inflates one alone.

mod encoder;
mod huffman;
mod member;
mod part;
mod reading;
mod stitch;
#[cfg(test)]
mod tests;
mod workers;
mod writing;

pub(super) use encoder::{Finished, Mark, PART};
pub(super) use member::{TRAILER, content_begins, is_trailer};
pub(super) use part::Seal;
pub(crate) use reading::is_compressed;
pub(super) use reading::{Failure, Tar};
pub(super) use stitch::END;
pub(super) use writing::Encoder;
