//! The trusted root of a Sigstore instance.

use std::fmt;
use std::path::PathBuf;

/// The trusted root of a Sigstore instance: the certificates and keys that a bundle is verified against.
///
/// The trusted roots of the public instance and of GitHub's are part of this crate, as they were when it was built.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum SigstoreRoot {
    /// The public instance, <https://www.sigstore.dev>.
    #[default]
    Public,
    /// The instance of GitHub, which signs attestations of builds in private repositories. It has no transparency log: a
    /// timestamp says when a statement was signed.
    GitHub,
    /// The instance in a file `trusted_root.json`, as `cosign trusted-root create` writes it. If the file names no
    /// transparency log, a bundle needs no entry in one. If it names no certificate transparency log, a certificate needs
    /// no proof that it is in one.
    File(PathBuf),
}

impl fmt::Display for SigstoreRoot {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Public => formatter.write_str("public"),
            Self::GitHub => formatter.write_str("github"),
            Self::File(path) => path.display().fmt(formatter),
        }
    }
}
