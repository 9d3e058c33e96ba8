//! Names of this project in the documents.

/// The name of the tool in the documents.
pub(super) const TOOL: &str = "wasmcloud-par";

/// The prefix of the names of our properties.
pub(super) const PROPERTY: &str = "com.wasmcloud.par";
