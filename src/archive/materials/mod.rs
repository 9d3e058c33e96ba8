//! The packages that an executable was compiled from, as its compiler recorded them.
//!
//! `cargo auditable` writes a list of crates into a section of the executable, and Go writes a list of modules. Both
//! are read from the file alone, whichever machine it is for. `image.rs` finds them in ELF, Mach-O and PE files.
//! `cargo_auditable.rs` and `go.rs` each read one kind. `read.rs` reads all of them.

mod cargo_auditable;
mod error;
mod go;
mod image;
mod read;
mod record;

pub(crate) use error::MaterialsError;
pub(crate) use read::read_materials;
pub(crate) use record::{Ecosystem, Materials, Package, PackageSource};
