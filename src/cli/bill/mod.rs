//! Bills of materials: the packages in the executables of an archive, as CycloneDX and SPDX documents.
//!
//! The same archive and the same version of `par` give the same bytes.

mod cyclonedx;
mod model;
mod names;
mod purl;
mod spdx;
mod uuid;

pub(crate) use cyclonedx::cyclonedx;
pub(crate) use model::Bill;
pub(crate) use spdx::spdx;
