//! Remembering an upload that is under way, so that another process can continue it.

use super::digest::Digest;

/// Remembers uploads of large content.
pub(crate) trait Uploads: Send + Sync {
    /// Returns the place to remember an upload of `content` into `repository` (`registry/repository`). `None` when
    /// another task or process is uploading the same there, or when nothing can be remembered. Blocks.
    fn slot(&self, repository: &str, content: &Digest) -> Option<Box<dyn UploadSlot>>;
}

/// The place to remember one upload. No other task or process has it before it is dropped.
pub(crate) trait UploadSlot: Send + Sync {
    /// Returns the address of an upload that was interrupted. Blocks.
    fn address(&self) -> Option<String>;

    /// Remembers the address of the upload that is under way. Blocks.
    fn remember(&self, address: &str);

    /// Forgets the upload: it is complete, or cannot be continued. Blocks.
    fn forget(&self);
}
