//! OCI image layouts: the content of a registry in a directory, for sites without a network.
//!
//! ```text
//! oci-layout                    {"imageLayoutVersion": "1.0.0"}
//! index.json                    the manifests, with their tags as annotations
//! blobs/sha256/<hex>            manifests, configs and layers, by digest
//! ```
//!
//! The OCI image specification defines the format ("Image Layout Specification").

mod blobs;
mod changes;
mod declared;
mod directory;
mod files;
mod index;
mod manifests;
mod names;
mod reading;
mod referrers;
mod storage;
#[cfg(test)]
mod tests;

pub(super) use declared::Declared;
pub(crate) use directory::Layout;
pub(super) use directory::check_marker;
pub(super) use files::{BLOBS, INDEX, MARKER, MARKER_BODY, replace, without_mark};
pub(super) use index::Index;
pub(super) use manifests::Manifests;
pub(crate) use reading::ReadLayout;
pub(super) use referrers::list_referrers;
pub(super) use storage::range_in;
