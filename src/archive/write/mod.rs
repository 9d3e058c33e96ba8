//! Packing and signing an archive.
//!
//! `writer.rs` packs an archive, and `signer.rs` makes the token. `edit.rs` reads an archive and packs it again.
//! `image_layer.rs` packs one executable for a container image.

mod edit;
mod image_layer;
mod input;
mod signer;
mod tar_writer;
mod writer;

pub use edit::{Identity, edit, insert};
pub(crate) use image_layer::{LayerEntry, write_image_layer};
pub use input::Input;
pub use signer::Signer;
pub use writer::ArchiveWriter;
