//! The names of this product in the documents.

/// The name of the tool in the documents.
pub(super) const TOOL: &str = "wasmcloud-par";

/// The prefix of the names of properties that this product defines.
pub(super) const PROPERTY: &str = "com.wasmcloud.par";
