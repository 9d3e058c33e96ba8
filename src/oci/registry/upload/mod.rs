//! Uploads: manifests in one request, blobs as a stream or in chunks.

mod access;
mod cancel;
mod chunks;
mod content;
mod earlier;
mod kept;
mod manifest;
mod mount;
mod session;
mod stored;
mod stream;

pub(crate) use access::OpenUpload;
pub(super) use content::{Check, check_stored, store_blob, store_manifest};
pub(super) use manifest::send_manifest;
pub(super) use session::{BlobUpload, Session};
pub(super) use stored::compare_stored;
pub(super) use stream::wants_chunks;
