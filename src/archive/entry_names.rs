//! The names of the entries that are not executables.

/// The entry that holds the signed token.
pub(crate) const CLAIMS_ENTRY: &str = "claims.jwt";

/// The entry that holds the WIT world. The claims list its hash under this name.
pub(crate) const WORLD_ENTRY: &str = "world.wasm";
