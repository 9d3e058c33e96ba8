//! The call that hosts of wasmCloud v1 use to fetch a provider, with its signature.

use std::path::PathBuf;

use wascap::jwt::{CapabilityProvider, Token};

use crate::archive::Target;
use crate::oci::Reference;

use super::client::Client;
use super::error::Error;

impl Client {
    /// Returns the executable for this machine of the provider that `oci_ref` stands for, and its signed token.
    ///
    /// The signature is that of `OciFetcher::fetch_provider` in `wasmcloud-core` 0.21, so a host migrates by
    /// building a `Client` in place of an `OciFetcher`. The options of that fetcher are in
    /// [`ClientOptions`](super::ClientOptions). There are three differences. The executable is verified, there
    /// is always a token, and hosts share the cached executables, to which no host writes, so `host_id` makes no
    /// difference.
    ///
    /// The tag `latest` is fetched like any other: the host decides whether it is allowed. A reference without a
    /// tag is [`Error::Unnamed`].
    ///
    /// # Errors
    ///
    /// As [`fetch`](Self::fetch); [`Error::Reference`].
    pub async fn fetch_provider(
        &self,
        oci_ref: impl AsRef<str>,
        _host_id: impl AsRef<str>,
    ) -> Result<(PathBuf, Option<Token<CapabilityProvider>>), Error> {
        let reference: Reference = oci_ref.as_ref().parse()?;
        let fetched = self.fetch(&reference, &Target::host()).await?;
        let token = fetched.claims.as_wascap().clone();
        Ok((fetched.path, Some(token)))
    }
}
