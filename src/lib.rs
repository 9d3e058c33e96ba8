//! Placeholder.
pub mod archive;
pub mod cache;
pub mod content;

pub use archive::ProviderArchive;
