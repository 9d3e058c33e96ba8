//! Placeholder.
pub mod archive;
pub mod content;

pub use archive::ProviderArchive;
