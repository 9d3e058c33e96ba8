//! The errors of reading the records of compilers.

use std::io;

/// An executable has a record that cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MaterialsError {
    /// The executable cannot be read.
    #[error("cannot read the executable")]
    Read(#[source] io::Error),
    /// A record is larger than a reader accepts.
    #[error("the {what} is larger than {limit} bytes, which is the limit")]
    TooLarge {
        /// The name of the record.
        what: &'static str,
        /// The bound in bytes.
        limit: u64,
    },
    /// The list of crates does not inflate.
    #[error("the list of crates in the section `.dep-v0` is damaged")]
    Inflate(#[source] io::Error),
    /// The list of crates is not the JSON that `cargo auditable` writes.
    #[error("the list of crates in the section `.dep-v0` is malformed")]
    Json(#[source] serde_json::Error),
    /// The list of crates names a dependency that is not in it.
    #[error(
        "the list of crates in the section `.dep-v0` has {count} crates, but names a dependency with the number {index}"
    )]
    NoSuchDependency {
        /// The number of the missing crate.
        index: usize,
        /// How many crates the list has.
        count: usize,
    },
    /// The build information of Go is damaged.
    #[error("the build information of Go is damaged: {0}")]
    Go(&'static str),
}
