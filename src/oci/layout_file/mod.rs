//! OCI image layouts in files: a tar of the directory, which `skopeo` and `podman` call `oci-archive`.
//!
//! The tar is not unpacked for reading. Its headers are read once, and a blob is read from its offset in the file. So the
//! tar must not be compressed.
//!
//! A changed layout is written as a new file, which then replaces the old one. Until then, new content is collected in a
//! directory beside the file. After an interruption, and after a session that left a part out of the file, another process can
//! continue with this content:
//!
//! ```text
//! FILE.tar                      the layout
//! FILE.tar.partial/             exists while the file is written, and after an interruption or a failure
//!   lock                        locked by the process that writes
//!   layout/                     the layout with everything that FILE.tar does not have
//! ```

mod entries;
mod file;
mod pack;
mod part;
mod scan;
mod session;
mod staging;
mod writer;

#[cfg(feature = "cli")]
pub(crate) use file::DOCKER_ARCHIVE;
pub(crate) use file::LayoutFile;
pub(crate) use part::LayoutFilePart;
pub(crate) use writer::LayoutFileWriter;
