//! Making one deflate stream of many.
//!
//! Blocks are compressed at the same time by `libdeflate`, which makes a whole stream of each. A whole
//! stream says so in its last block (BFINAL, RFC 1951, section 3.2.3), and ends in the middle of a byte.
//! For another stream to follow, that flag has to be cleared, and the end has to be brought to a whole
//! byte. `libdeflate` has no option for that and does not tell where the two places are. So [`Stitcher`]
//! walks over the symbols of the stream (`stitcher.rs`), with the codes that `huffman.rs` reads, and
//! decodes nothing. That costs a tenth of the time that compressing takes.
//!
//! # Why not zlib
//!
//! zlib can end each block with a full flush, which gives the same kind of stream without this directory.
//! Both were measured in one run, in blocks of 2 MiB with restart points, on two cores of an Intel Xeon
//! with SHA extensions: six executables of the Rust toolchain, 154.9 MB.
//!
//! | compressor | member | seconds of processor time | speed |
//! | --- | --- | --- | --- |
//! | libdeflate, level 6, stitched | 56.01 MB | 2.08 | 1.00 |
//! | zlib-rs, level 6 | 57.69 MB, 3.0 % larger | 2.49 | 0.84 |
//! | zlib-rs, level 7 | 57.31 MB, 2.3 % larger | 3.80 | 0.55 |
//! | zlib-rs, level 8 | 57.23 MB, 2.2 % larger | 6.97 | 0.30 |
//! | zlib-rs, level 9 | 55.99 MB, 0.04 % smaller | 6.13 | 0.34 |
//!
//! The members may not be larger than those of `provider-archive`, whose level is zlib's 9. At that size,
//! packing with zlib-rs takes three times as long. This directory goes when zlib-rs makes members that are
//! at most 0.5 % larger at 0.7 of the speed.

mod huffman;
mod stitcher;

#[cfg(test)]
pub(super) use huffman::Malformed;
pub(super) use stitcher::{GROWTH, Stitcher};
