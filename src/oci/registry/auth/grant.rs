//! Authorizations, and the state of a repository's authorization.

use std::time::Instant;

use data_encoding::BASE64;
use reqwest::header::HeaderValue;

use crate::oci::credentials::{Credentials, Found};
use crate::oci::error::Error;

use super::super::http::Request;
use super::challenge::{Bearer, Challenge};
use super::token::{sensitive_header, user_and_password};

/// An authorization.
pub(super) struct Grant {
    /// The value of the `Authorization` header.
    pub(super) header: HeaderValue,
    pub(super) expires: Option<Instant>,
    /// The credentials with which the authorization was obtained.
    pub(super) credentials: Credentials,
    pub(super) is_token: bool,
    /// The error of a credential helper that gave no credentials.
    pub(super) failure: Option<Error>,
}

impl Grant {
    /// Returns the authorization without a token service: user and password, or a token for the registry itself. It is
    /// valid until the credentials expire. An identity token is used as a password.
    pub(super) fn of(found: Found) -> Option<Self> {
        let header = match &found.credentials {
            Credentials::RegistryToken(token) => format!("Bearer {token}"),
            credentials => {
                let (user, password) = user_and_password(credentials)?;
                let encoded = BASE64.encode(format!("{user}:{password}").as_bytes());
                format!("Basic {encoded}")
            }
        };
        Some(Self {
            header: sensitive_header(&header)?,
            expires: found.expires,
            credentials: found.credentials,
            is_token: false,
            failure: None,
        })
    }

    fn is_valid(&self) -> bool {
        self.expires.is_none_or(|expires| Instant::now() < expires)
    }
}

/// The state of the authorization for one repository and scope.
#[derive(Default)]
pub(super) struct Known {
    pub(super) grant: Option<Grant>,
    /// The challenge to which the grant belongs. When the grant expires, a new one is obtained before the next request.
    /// Otherwise a refusal in the middle of an upload would waste the bytes that were sent.
    pub(super) bearer: Option<Bearer>,
    /// The time at which credentials were last looked up because of an answer that may hide content from anonymous
    /// users.
    pub(super) looked_up: Option<Instant>,
}

impl Known {
    pub(super) fn valid(&self) -> Option<&Grant> {
        self.grant.as_ref().filter(|grant| grant.is_valid())
    }

    /// Returns the credentials that the registry refused together with the header `used`. `None` for a token: refusing
    /// it does not mean that the credentials for it are wrong.
    pub(super) fn refused(&self, used: Option<&HeaderValue>) -> Option<Credentials> {
        let grant = self.grant.as_ref()?;
        (!grant.is_token && used == Some(&grant.header)).then(|| grant.credentials.clone())
    }

    /// Returns whether the grant answers `challenge`.
    pub(super) fn answers(&self, challenge: Option<&Challenge>, request: &Request) -> bool {
        match (&self.bearer, challenge) {
            (Some(known), Some(Challenge::Bearer(asked))) => known.covers(asked, request),
            _ => true,
        }
    }
}
