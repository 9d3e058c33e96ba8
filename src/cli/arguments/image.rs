//! `DST` of an image: a reference, or a file.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use crate::cli::output::Failure;
use crate::oci::Reference;

use super::path::explicit_path;
use super::registry::RegistryArgs;

/// The extension of a file with an image.
const EXTENSION: &str = ".tar";
/// The prefix for a file with another extension.
const SCHEME: &str = "oci-archive://";

/// Parses the destination of an image: `oci-archive://FILE.tar[:NAME]`, a path that ends in `.tar`, or a reference. A
/// text that ends in `.tar` is a reference only if it has a tag or a digest.
pub(crate) fn image_destination(argument: &OsStr, registry: &RegistryArgs) -> Result<Reference> {
    let text = argument.to_string_lossy();
    if text.starts_with(SCHEME) {
        return Ok(text.parse()?);
    }
    let explicit = explicit_path(argument);
    let names_image = || {
        let reference = text.parse::<Reference>();
        reference.is_ok_and(|reference| reference.tag().is_some() || reference.digest().is_some())
    };
    if text.ends_with(EXTENSION) && (explicit.is_some() || !names_image()) {
        return file(&explicit.unwrap_or_else(|| PathBuf::from(argument)));
    }
    if let Some(path) = explicit {
        let path = path.display();
        let message = format!("{path} is a path, and it does not end in `.tar`");
        bail!(Failure::usage(message).hint(format!(
            "write oci-layout://{path}:TAG for a directory, or {SCHEME}{path} for a file"
        )));
    }
    registry.reference(argument, false)
}

/// Returns the reference for an image layout in the file at `path`.
fn file(path: &Path) -> Result<Reference> {
    let reference = path.to_str().map(|path| format!("{SCHEME}{path}").parse());
    match reference {
        Some(Ok(Reference::Layout(place))) if place.path() == path => Ok(Reference::Layout(place)),
        _ => {
            let message = format!(
                "{} cannot be the name of a file with an image",
                path.display()
            );
            let hint = "give a name in UTF-8 with `.tar` at its end only";
            bail!(Failure::usage(message).hint(hint))
        }
    }
}

#[cfg(test)]
#[path = "tests/image.rs"]
mod tests;
