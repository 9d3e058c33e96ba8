//! What hosts of wasmCloud v1 call today, with the same shape.

use std::path::PathBuf;

use wascap::jwt::{CapabilityProvider, Token};

use crate::archive::Target;
use crate::oci::Reference;

use super::client::Client;
use super::error::Error;

impl Client {
    /// The executable for this machine of the provider that `oci_ref` stands for, and its signed token.
    ///
    /// It takes and gives what `OciFetcher::fetch_provider` of `wasmcloud-core` 0.21 does, so that a host
    /// moves over by building a `Client` in place of an `OciFetcher`. Other than there, the executable is
    /// verified, there is always a token, and hosts share what is in the cache: `host_id` makes no
    /// difference, as nobody writes to an executable there. Options of that fetcher are in
    /// [`ClientOptions`](super::ClientOptions). Whether a tag `latest` may be used is for the host to say:
    /// it is fetched like any other, and a missing tag is none.
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
