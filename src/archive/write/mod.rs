//! Packing and signing an archive.
//!
//! `writer.rs` packs, `signer.rs` makes the token, and `edit.rs` reads an archive and packs it again.

mod edit;
mod input;
mod signer;
mod tar_writer;
mod writer;

pub use edit::{Identity, edit, insert};
pub use input::Input;
pub use signer::Signer;
pub use writer::ArchiveWriter;
