//! What the operations share that send content: files and streams to send, uploads, mounting, and copying all content
//! of a manifest.

mod copying;
mod hashing;
mod metered;
mod mount;
mod spool;
mod tree;
mod unchanged_file;
mod upload_access;
mod uploads;

pub(super) use copying::Transfer;
pub(super) use hashing::hash;
pub(super) use metered::MeteredSource;
pub(super) use mount::{mountable, neighbour, put_blob, remember};
pub(super) use spool::spool;
pub use tree::LeftOut;
pub(super) use tree::Tree;
pub(super) use unchanged_file::{UnchangedFile, unreadable};
pub(super) use upload_access::UploadAccess;
pub(super) use uploads::CachedUploads;
