//! Reads all records of an executable.

use std::io::{Read, Seek};

use super::error::MaterialsError;
use super::record::Materials;
use super::{cargo_auditable, go, image};

/// Reads the records of compilers in an executable. The list is empty for a file without records, and for a file that
/// is not an executable.
///
/// # Errors
///
/// [`MaterialsError`] if a record is damaged or larger than the bound, or if `input` cannot be read.
pub(crate) fn read_materials(
    input: &mut (impl Read + Seek),
) -> Result<Vec<Materials>, MaterialsError> {
    let mut found = Vec::new();
    for image in image::images(input) {
        if let Some(span) = image.crates {
            found.push(cargo_auditable::read(input, span)?);
        }
        found.extend(go::read(input, &image)?);
    }
    Ok(found)
}

#[cfg(test)]
#[path = "tests/read.rs"]
mod tests;
