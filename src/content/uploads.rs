//! Remembering unfinished uploads, so that another process can continue them.

use super::digest::Digest;

/// Remembers uploads of large content.
pub(crate) trait Uploads: Send + Sync {
    /// Returns the slot for an upload of `content` into `repository` (`registry/repository`). `None` when another task
    /// or process is uploading the same content there, or when uploads cannot be remembered. Blocks.
    fn slot(&self, repository: &str, content: &Digest) -> Option<Box<dyn UploadSlot>>;
}

/// Remembers one upload. No other task or process gets the slot of this upload before this one is dropped.
pub(crate) trait UploadSlot: Send + Sync {
    /// Returns the address of an upload that was interrupted. Blocks.
    fn address(&self) -> Option<String>;

    /// Remembers the address of the current upload. Blocks.
    fn remember(&self, address: &str);

    /// Forgets the upload, because it is complete or cannot be continued. Blocks.
    fn forget(&self);
}
