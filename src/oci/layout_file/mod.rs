//! OCI image layouts in files: a tar of the directory, as `skopeo` and `podman` know it under the name `oci-archive`.
//!
//! A file is read where its content is: its headers are read once, and a blob is read from its place in the file. So
//! the tar must not be compressed.
//!
//! A file is written whole, and then replaces the one before. What is to be written is collected in a directory beside
//! the file, which lets another process continue after an interruption:
//!
//! ```text
//! FILE.tar                      the layout
//! FILE.tar.partial/             exists while the file is written, and after an interruption
//!   lock                        locked by the process that writes
//!   layout/                     the layout with everything that FILE.tar does not have
//! ```

mod entries;
mod file;
mod pack;
mod scan;
mod session;
mod writer;

pub(crate) use file::LayoutFile;
pub(crate) use writer::LayoutFileWriter;
