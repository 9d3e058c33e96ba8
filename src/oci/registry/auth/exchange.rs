//! Exchanging credentials for tokens.

use std::time::Duration;

use reqwest::Url;

use crate::content::ErrorKind;
use crate::oci::credentials::{Credentials, Found};
use crate::oci::error::Error;

use super::super::http::Request;
use super::authenticator::Authenticator;
use super::challenge::Bearer;
use super::grant::Grant;
use super::token;

impl Authenticator {
    /// Gets a token. When the token service refuses the credentials of a provider, the provider is asked once more.
    pub(super) async fn token(
        &self,
        request: &Request,
        bearer: &Bearer,
        refused: Option<&Credentials>,
        limit: Duration,
    ) -> Result<Grant, Error> {
        let found = self.search(request, refused).await?;
        let first = found.credentials.clone();
        let error = match self.exchange(request, bearer, found, limit).await {
            Err(error) if refuses(&error) && self.has_provider() => error,
            exchanged => return exchanged,
        };
        let found = self.search(request, Some(&first)).await?;
        if found.credentials == first || found.credentials == Credentials::Anonymous {
            return Err(error);
        }
        self.exchange(request, bearer, found, limit).await
    }

    /// Exchanges credentials for a token.
    async fn exchange(
        &self,
        request: &Request,
        bearer: &Bearer,
        found: Found,
        limit: Duration,
    ) -> Result<Grant, Error> {
        if let Credentials::RegistryToken(_) = found.credentials {
            return Grant::of(found).ok_or_else(|| Error::TokenAnswer {
                url: request.address(),
                reason: "the stored registry token does not fit into a header",
            });
        }
        let Found {
            credentials,
            failure,
            ..
        } = found;
        let client = &self.clients.writing;
        let token = token::fetch(client, request, bearer, &credentials, limit).await;
        match (token, failure) {
            (Err(error), Some(failure)) if error.kind() == ErrorKind::Denied => Err(failure),
            (Err(error), _) => {
                let service = Url::parse(&bearer.realm);
                let url = service.as_ref().unwrap_or(&request.url);
                Err(self.clients.explain(error, url))
            }
            (Ok((header, expires)), failure) => {
                if let Some(failure) = &failure {
                    self.warn_of(failure);
                }
                Ok(Grant {
                    header,
                    expires: Some(expires),
                    credentials,
                    is_token: true,
                    failure,
                })
            }
        }
    }
}

/// Returns whether a token service has refused the credentials themselves.
fn refuses(error: &Error) -> bool {
    matches!(
        error,
        Error::CredentialsRefused { .. } | Error::IdentityTokenRefused { .. }
    )
}
