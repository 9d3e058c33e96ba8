//! Placeholder.
pub mod content;
pub mod oci;
