//! Small requests that find out what a registry is, and what it can do. Each is sent once, and waited for
//! some seconds at most.

mod uploads;

use bytes::Bytes;
use reqwest::header::{CONTENT_RANGE, CONTENT_TYPE, HeaderMap, HeaderName, RANGE, SERVER};
use reqwest::{Method, Response, StatusCode};
use serde::Deserialize;

use crate::content::{Descriptor, Digest};

use super::super::credentials::Credentials;
use super::super::error::{Error, one_line};
use super::super::hosts::Capability;
use super::super::reference::Place;
use super::Registries;
use super::challenge::Challenge;
use super::hosted::HostedRepository;
use super::routes::Way;
use super::transport::{Call, Payload, Scope, address};

/// One of the hosts that serve a registry, to be asked what it can do.
pub(crate) struct Probe {
    host: HostedRepository,
}

/// How a registry answers to who does not say who it is.
#[derive(Debug)]
pub(crate) struct Greeting {
    /// Where its API begins.
    pub(crate) address: String,
    pub(crate) status: u16,
    /// `Server`: what it is, or what is before it.
    pub(crate) server: Option<String>,
    /// `Docker-Distribution-Api-Version`.
    pub(crate) api_version: Option<String>,
    pub(crate) wants: Wants,
}

/// What a registry wants to be told.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Wants {
    Nothing,
    Password,
    Token {
        realm: String,
        service: Option<String>,
    },
    /// Something that is not known here.
    Unknown(String),
    /// It refused without saying what it wants.
    Unsaid,
}

/// What a manifest names.
#[derive(Default, Deserialize)]
struct Blobs {
    config: Option<Descriptor>,
    #[serde(default)]
    layers: Vec<Descriptor>,
}

impl Registries {
    /// The hosts that `place` is asked at: the mirrors, and the registry itself. Contacts nobody.
    pub(crate) async fn probes(&self, place: &Place) -> Result<(Vec<Probe>, Probe), Error> {
        let (mirrors, itself) = self.routes(place.registry()).await?.apart()?;
        let mirrors = mirrors.into_iter().map(|way| Probe::new(place, way));
        Ok((mirrors.collect(), Probe::new(place, itself)))
    }

    /// The host that takes what is pushed to `place`. Contacts nobody.
    pub(crate) async fn push_probe(&self, place: &Place) -> Result<Probe, Error> {
        let routes = self.routes(place.registry()).await?;
        Ok(Probe::new(place, routes.quickly_writable()?))
    }
}

impl Probe {
    fn new(place: &Place, (route, transport): Way) -> Self {
        let repository = place.reference().map(|reference| reference.repository());
        Self {
            host: HostedRepository {
                route,
                transport,
                registry: place.registry().to_owned(),
                name: repository.unwrap_or_default().to_owned(),
            },
        }
    }

    /// The host, with its port when it has one.
    pub(crate) fn name(&self) -> &str {
        self.host.transport.name()
    }

    /// Whether it is asked for everything that a reader wants: content, and what tags stand for.
    pub(crate) fn serves_readers(&self) -> bool {
        let wanted = [Capability::Pull, Capability::Resolve];
        wanted.iter().all(|wanted| self.host.route.can(*wanted))
    }

    /// Whether it is on this machine.
    pub(crate) fn is_loopback(&self) -> bool {
        self.host.transport.is_loopback()
    }

    /// Whether any certificate will do.
    pub(crate) fn accepts_any_certificate(&self) -> bool {
        self.host.transport.accepts_any_certificate()
    }

    /// Asks for the beginning of the API (OCI distribution specification, "Determining Support"), without
    /// saying who is asking.
    pub(crate) async fn greet(&self) -> Result<Greeting, Error> {
        let call = self.root()?;
        let transport = &self.host.transport;
        let asked = transport.attempt(&call, &Payload::Empty, None);
        let response = call.within(transport.retry.stall_timeout, asked).await?;
        let status = response.status();
        let said = |name: HeaderName| {
            let value = response.headers().get(name)?.to_str().ok()?;
            Some(one_line(value)).filter(|value| !value.is_empty())
        };
        let wants = match status {
            StatusCode::UNAUTHORIZED => wants(response.headers(), &call),
            StatusCode::FORBIDDEN => Wants::Unsaid,
            _ => Wants::Nothing,
        };
        let is_page = said(CONTENT_TYPE).is_some_and(|value| value.starts_with("text/html"));
        // Perhaps it was a redirect that led there.
        let not_a_registry = |reason| Error::NotARegistry {
            address: address(response.url()),
            reason,
        };
        if status.is_success() && is_page {
            return Err(not_a_registry("it answers with a web page".to_owned()));
        }
        if status == StatusCode::NOT_FOUND {
            return Err(not_a_registry(format!(
                "it answers with HTTP {}",
                status.as_u16()
            )));
        }
        let greeting = Greeting {
            address: call.address(),
            status: status.as_u16(),
            server: said(SERVER),
            api_version: said(HeaderName::from_static("docker-distribution-api-version")),
            wants,
        };
        if matches!(greeting.wants, Wants::Nothing) {
            transport.check(response, &call).await?;
        }
        Ok(greeting)
    }

    /// Whom the registry will be told to be asking.
    pub(crate) async fn credentials(&self) -> Result<Credentials, Error> {
        self.host.transport.credentials(&self.root()?).await
    }

    /// Says who is asking, at the beginning of the API.
    pub(crate) async fn log_in(&self) -> Result<(), Error> {
        self.host.transport.send(&self.root()?).await.map(drop)
    }

    /// The tags of the repository, as far as they are on the first page.
    pub(crate) async fn tags(&self) -> Result<Vec<String>, Error> {
        Ok(self.host.page_of_tags(self.host.tags_call()?).await?.0)
    }

    /// A manifest of the repository, and a blob that it names, if it names one.
    pub(crate) async fn sample(
        &self,
        name: &str,
    ) -> Result<(Descriptor, Option<Descriptor>), Error> {
        let (manifest, bytes) = self.host.manifest(name).await?;
        // Of an index, none.
        let blobs: Blobs = serde_json::from_slice(&bytes).unwrap_or_default();
        let blobs = blobs.layers.into_iter().chain(blobs.config);
        // Of a single byte there are no parts.
        let largest = blobs
            .filter(|blob| blob.size > 1)
            .max_by_key(|blob| blob.size);
        Ok((manifest, largest))
    }

    /// Whether a part of a blob can be had alone.
    pub(crate) async fn serves_ranges(&self, blob: &Descriptor) -> Result<bool, Error> {
        let mut call = self.host.blob_call(Method::GET, blob, Scope::PULL)?;
        let last = blob.size.saturating_sub(1);
        let range = format!("bytes {last}-{last}/");
        let value = format!("bytes={last}-{last}");
        if let Ok(value) = value.try_into() {
            call.headers.insert(RANGE, value);
        }
        let response = self.host.transport.send(&call).await?;
        let given = response.headers().get(CONTENT_RANGE);
        let given = given.and_then(|value| value.to_str().ok());
        Ok(response.status() == StatusCode::PARTIAL_CONTENT
            && given.is_some_and(|given| given.starts_with(&range)))
    }

    /// Whether the registry answers what refers to a manifest.
    pub(crate) async fn lists_referrers(&self, digest: &Digest) -> Result<bool, Error> {
        let call = self.host.referrers_call(digest, None)?;
        Ok(self.host.page_of_referrers(call).await?.is_some())
    }

    fn root(&self) -> Result<Call, Error> {
        Ok(Call {
            method: Method::GET,
            url: self.host.transport.url("")?,
            registry: self.name().to_owned(),
            repository: String::new(),
            scope: Scope::NONE,
            what: "API".to_owned(),
            headers: HeaderMap::new(),
        })
    }

    async fn asked(&self, call: &Call, body: Bytes) -> Result<Response, Error> {
        let response = self.host.transport.exchange(call, body).await?;
        self.host.transport.check(response, call).await
    }
}

fn wants(headers: &HeaderMap, call: &Call) -> Wants {
    match Challenge::choose(headers, call) {
        Ok(Some(Challenge::Basic)) => Wants::Password,
        Ok(Some(Challenge::Bearer(bearer))) => Wants::Token {
            realm: one_line(&bearer.realm),
            service: bearer.service.as_deref().map(one_line),
        },
        Ok(None) => Wants::Unsaid,
        Err(Error::Challenge { challenge, .. }) => Wants::Unknown(challenge),
        Err(error) => Wants::Unknown(error.to_string()),
    }
}
