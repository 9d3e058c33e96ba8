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
//! A part begins and ends at a whole byte and refers to nothing before it. So threads compress parts at the
//! same time, and `part.rs` inflates one part alone. `libdeflate` gives whole streams, and `stitch/` makes
//! parts of them.

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
pub(in crate::archive) use member::{TRAILER, content_begins, trailer};
pub(in crate::archive) use part::Seal;
pub(crate) use reading::is_compressed;
pub(in crate::archive) use reading::{Failure, Tar, TarSource};
pub(in crate::archive) use writing::Encoder;
