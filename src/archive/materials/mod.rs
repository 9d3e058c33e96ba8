//! The packages that an executable was compiled from, as its compiler recorded them.
//!
//! `cargo auditable` leaves a list of crates in a section of the executable, and Go leaves a list of modules. Both
//! are read from the file alone, whatever machine it is for. `image.rs` finds them in ELF, Mach-O and PE files;
//! `cargo_auditable.rs` and `go.rs` read them.

mod cargo_auditable;
mod error;
mod go;
mod image;
#[cfg(test)]
mod tests;

use std::io::{Read, Seek};

pub(crate) use error::MaterialsError;

/// What the compiler recorded about one program. A universal Mach-O file has several programs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Materials {
    /// The packages.
    pub(crate) packages: Vec<Package>,
    /// The package that the program is made from, as a position in `packages`.
    pub(crate) root: Option<usize>,
}

/// A package that was compiled into a program, or that helped to compile it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Package {
    pub(crate) ecosystem: Ecosystem,
    /// The name: of a crate, or the path of a Go module.
    pub(crate) name: String,
    /// The version. `None`: the compiler did not know it.
    pub(crate) version: Option<String>,
    /// Where the package came from.
    pub(crate) source: Source,
    /// Whether the package only ran during the build, as build scripts and procedural macros do.
    pub(crate) build_only: bool,
    /// The positions of the packages that this one depends on.
    pub(crate) dependencies: Vec<usize>,
}

/// The package manager that a package belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ecosystem {
    Cargo,
    Go,
}

/// Where a package came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    /// The public registry of the ecosystem: crates.io, or the path of a Go module.
    Public,
    /// Another place, in the word of the compiler: `git`, `local`, `registry`.
    Other(String),
}

impl Materials {
    /// Reads what compilers recorded in an executable. Returns nothing for a file that is not an executable, or in which
    /// nothing was recorded.
    ///
    /// # Errors
    ///
    /// [`MaterialsError`] if a record is damaged or larger than the bound, or if `input` cannot be read.
    pub(crate) fn read(input: &mut (impl Read + Seek)) -> Result<Vec<Self>, MaterialsError> {
        let mut found = Vec::new();
        for image in image::images(input) {
            if let Some(span) = image.crates {
                found.push(cargo_auditable::read(input, span)?);
            }
            found.extend(go::read(input, &image)?);
        }
        Ok(found)
    }
}
