//! The two forms of an archive.

/// How an archive is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Compression {
    /// The archive is a plain tar.
    #[default]
    None,
    /// The archive is a tar in one gzip member.
    Gzip,
}

impl Compression {
    /// Returns the extension of the names of archives with this compression: `par` or `par.gz`.
    #[must_use]
    pub fn extension(self) -> &'static str {
        match self {
            Self::None => "par",
            Self::Gzip => "par.gz",
        }
    }
}
