//! Images without a storage.
