//! OCI image layouts: content of a registry in a directory, for sites without a network.
//!
//! ```text
//! oci-layout                    {"imageLayoutVersion": "1.0.0"}
//! index.json                    the manifests, with their tags as annotations
//! blobs/sha256/<hex>            manifests, configs and layers, by digest
//! ```
//!
//! The format is that of the OCI image specification, "Image Layout Specification".

mod blobs;
mod declared;
mod directory;
mod files;
mod index;
mod names;
mod referrers;
mod storage;
#[cfg(test)]
mod tests;

pub(crate) use directory::Layout;
