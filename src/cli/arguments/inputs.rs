//! The files that a command reads. Its output must not replace one of them.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use crate::cli::output::Failure;
use crate::content::{directory_of, followed};
use crate::oci::{LayoutForm, Reference};

use super::path::is_one_file;

/// A file that a command reads: what it is, such as "the schema", and its path.
pub(crate) type Input = (&'static str, PathBuf);

/// Returns an error if `destination` is one of the inputs.
pub(crate) fn refuse_inputs(
    destination: &Path,
    inputs: impl IntoIterator<Item = Input>,
) -> Result<()> {
    for (what, path) in inputs {
        if is_one_file(&path, destination) || is_one_place(&path, destination) {
            bail!(refused(destination, what));
        }
    }
    Ok(())
}

/// Returns an error if `destination` is a file of the WIT package in `directory`.
pub(crate) fn refuse_wit_file(destination: &Path, directory: &Path) -> Result<()> {
    let extension = destination.extension().and_then(OsStr::to_str);
    if matches!(extension, Some("wit" | "wasm" | "wat")) {
        refuse_file_in(destination, directory, "a file of the WIT package")?;
    }
    Ok(())
}

/// Returns an error if `destination` is an existing file below `directory`. `what` says what such a file is.
pub(crate) fn refuse_file_in(destination: &Path, directory: &Path, what: &str) -> Result<()> {
    match (destination.canonicalize(), directory.canonicalize()) {
        (Ok(file), Ok(directory)) if file.starts_with(&directory) => {
            bail!(refused(destination, what))
        }
        _ => Ok(()),
    }
}

/// Returns the files of the layout to which a reference leads. A reference to a registry has none.
pub(crate) fn layout_files(reference: &Reference) -> Vec<Input> {
    let what = "the layout that the command reads";
    match reference {
        Reference::Layout(place) if place.form() == LayoutForm::File => {
            vec![(what, place.path().to_owned())]
        }
        Reference::Layout(place) => ["index.json", "oci-layout"]
            .map(|name| (what, place.path().join(name)))
            .into(),
        Reference::Registry(_) => Vec::new(),
    }
}

fn refused(destination: &Path, what: &str) -> Failure {
    let destination = destination.display();
    Failure::usage(format!("cannot write to {destination}: it is {what}"))
        .hint("name another file for the output")
}

/// Whether two paths lead to the same file. The file need not exist. Blocks.
pub(crate) fn is_one_place(one: &Path, other: &Path) -> bool {
    let place = place(one);
    place.is_some() && place == self::place(other)
}

/// Returns the canonical path of the file that `path` leads to. The file need not exist.
fn place(path: &Path) -> Option<PathBuf> {
    let target = followed(path).ok()?;
    let directory = directory_of(&target).canonicalize().ok()?;
    Some(directory.join(target.file_name()?))
}
