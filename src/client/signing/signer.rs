//! The options for signing with Sigstore: an identity and an instance.

use std::path::PathBuf;

use crate::client::sigstore::SigstoreRoot;

use super::token_source::TokenSource;

/// An identity that signs with an instance of Sigstore. The default is the public instance. Its log is public: it shows
/// each signature together with the identity.
///
/// ```no_run
/// use wasmcloud_par::client::PushOptions;
/// use wasmcloud_par::signing::{SigstoreSigner, TokenSource};
///
/// # fn options() -> Result<PushOptions, wasmcloud_par::signing::SigningError> {
/// let token = TokenSource::ambient(|name| std::env::var(name).ok())?;
/// let options = PushOptions::default().sigstore(SigstoreSigner::new(token));
/// # Ok(options)
/// # }
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct SigstoreSigner {
    /// The source of the identity token. The token names the identity that signs.
    pub token: TokenSource,
    /// The file `signing_config.json` with the services of the instance, as `cosign signing-config create` writes it.
    /// `None`: the services of the public instance, as they were when this crate was built.
    pub signing_config: Option<PathBuf>,
    /// The trusted root of the instance. A new bundle must verify against it.
    pub root: SigstoreRoot,
}

impl SigstoreSigner {
    /// Returns a signer with the public instance.
    pub fn new(token: impl Into<TokenSource>) -> Self {
        Self {
            token: token.into(),
            signing_config: None,
            root: SigstoreRoot::Public,
        }
    }

    /// Signs with another instance. `signing_config` is the file with its services, and `root` is its trusted root.
    #[must_use]
    pub fn instance(mut self, signing_config: impl Into<PathBuf>, root: SigstoreRoot) -> Self {
        self.signing_config = Some(signing_config.into());
        self.root = root;
        self
    }
}
