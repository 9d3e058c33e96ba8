//! The packages that an executable was compiled from, as its compiler recorded them.
//!
//! `cargo auditable` leaves a list of crates in a section of the executable, and Go leaves a list of modules. Both
//! are read from the file alone, whatever machine it is for. `image.rs` finds them in ELF, Mach-O and PE files;
//! `cargo_auditable.rs` and `go.rs` read them; `read.rs` reads all of them.

mod cargo_auditable;
mod error;
mod go;
mod image;
mod read;
mod record;

pub(crate) use error::MaterialsError;
pub(crate) use read::read_materials;
pub(crate) use record::{Ecosystem, Materials, Package, PackageSource};
