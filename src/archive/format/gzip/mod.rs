//! The compression around the tar: none, or one gzip member (RFC 1952).
//!
//! Every reader of gzip accepts the member, which is made of parts:
//!
//! ```text
//! header [extra field]            member.rs
//! part, part, part, …             encoder.rs: content in blocks of 2 MiB, compressed by workers.rs,
//!                                 or content that was written last, stored by blocks.rs
//! empty last block                blocks.rs
//! checksum, length                member.rs
//! ```
//!
//! A part begins and ends at a whole byte and refers to nothing before it. So parts are compressed at the
//! same time, and each can be inflated alone, which `part.rs` does. `stitch/` makes parts of the whole
//! streams that `libdeflate` gives.

mod blocks;
mod encoder;
mod member;
mod part;
mod reading;
mod stitch;
#[cfg(test)]
mod tests;
mod workers;
mod writing;

pub(in crate::archive) use blocks::END;
pub(in crate::archive) use encoder::{Finished, Mark, PART};
pub(in crate::archive) use member::{TRAILER, content_begins, is_trailer};
pub(in crate::archive) use part::Seal;
pub(crate) use reading::is_compressed;
pub(in crate::archive) use reading::{Failure, Tar};
pub(in crate::archive) use writing::Encoder;
