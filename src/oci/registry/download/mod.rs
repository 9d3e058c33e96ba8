//! Downloads: whole blobs or byte ranges, over one connection or several.

mod blob_download;
mod buffers;
mod pieces;
mod range;
mod reader;

pub(super) use blob_download::slice;
pub(super) use reader::{open, open_first_hand};
