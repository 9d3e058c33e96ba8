//! Joining many deflate streams into one.
//!
//! Several threads compress blocks with `libdeflate`, which makes a whole stream of each block. The last block of a
//! stream has a flag (BFINAL, RFC 1951, section 3.2.3), and the stream may end in the middle of a byte. Before another
//! stream can follow, the flag has to be cleared, and the end has to be moved to a whole byte. `libdeflate` has no
//! option for that and does not tell where the flag and the end are. So [`Stitcher`] walks over the symbols of the
//! stream (`stitcher.rs`), with the codes that `huffman.rs` reads. It decodes no content. That takes a tenth of the
//! time of compressing.
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
//! The members may not be larger than those of `provider-archive`, whose level is zlib's 9. At that size, packing with
//! zlib-rs takes three times as long. Remove this directory once zlib-rs makes members that are at most 0.5 % larger,
//! at 0.7 of the speed of libdeflate.

mod huffman;
mod stitcher;

#[cfg(test)]
pub(super) use huffman::Malformed;
pub(super) use stitcher::{GROWTH, Stitcher};
