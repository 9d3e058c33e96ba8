//! The names of annotations that several parts of the crate read or write (OCI image specification, "Pre-Defined
//! Annotation Keys"). Images have labels with the same names.

/// The time at which the content was made, as in RFC 3339.
pub(crate) const CREATED: &str = "org.opencontainers.image.created";
/// The revision of the source: a commit.
pub(crate) const REVISION: &str = "org.opencontainers.image.revision";
/// The URL of the source.
pub(crate) const SOURCE: &str = "org.opencontainers.image.source";
/// The title of the content. On a layer, it is the name of the file.
pub(crate) const TITLE: &str = "org.opencontainers.image.title";
