//! The proxies of an endpoint: the choice of a proxy for each request, and the errors of proxies.

use std::ffi::OsString;

use reqwest::{ClientBuilder, Proxy, StatusCode, Url};

use crate::content::with_causes;
use crate::oci::error::{Error, ProxyError};
use crate::oci::proxy_url::{proxy_name, proxy_url};

use super::no_proxy::NoProxy;

/// A proxy, and the environment variable or file that names it.
#[derive(Clone)]
pub(super) struct Named {
    url: Url,
    by: String,
}

impl Named {
    fn denied(&self) -> Error {
        Error::Proxy(ProxyError::Denied {
            proxy: proxy_name(&self.url),
            named_by: self.by.clone(),
        })
    }
}

/// The proxies of one endpoint.
#[derive(Clone)]
pub(super) enum Proxies {
    /// No request goes through a proxy.
    None,
    /// Requests go through the proxies in the settings of the operating system, if it has such settings.
    System,
    /// All requests go through one proxy.
    All(Box<Named>),
    /// Requests go through a proxy by their scheme, except for some hosts.
    ByScheme(Box<ByScheme>),
}

#[derive(Clone)]
pub(super) struct ByScheme {
    http: Option<Named>,
    https: Option<Named>,
    except: NoProxy,
}

impl Proxies {
    /// Returns the proxy at `url` for all requests. `named_by` is the file that names it.
    pub(super) fn all(url: Url, named_by: String) -> Self {
        Self::All(Box::new(Named { url, by: named_by }))
    }

    /// Returns the proxies that environment variables name. Their names may be in upper or lower case. A variable with
    /// an empty value counts as unset.
    pub(super) fn from_environment(
        variable: impl Fn(&str) -> Option<OsString>,
    ) -> Result<Self, Error> {
        let value = |name: &str| {
            let names = [name.to_uppercase(), name.to_lowercase()];
            names.into_iter().find_map(|name| {
                let value = variable(&name).filter(|value| !value.is_empty())?;
                Some((name, value))
            })
        };
        let proxy = |name| match value(name) {
            Some((name, value)) => named(name, value).map(Some),
            None => Ok(None),
        };
        // In a CGI program, HTTP_PROXY is the value of a header of the request, which a stranger can choose.
        let is_cgi = variable("REQUEST_METHOD").is_some_and(|method| !method.is_empty());
        let mut http = if is_cgi { None } else { proxy("HTTP_PROXY")? };
        let mut https = proxy("HTTPS_PROXY")?;
        if http.is_none() || https.is_none() {
            let all = proxy("ALL_PROXY")?;
            http = http.or_else(|| all.clone().filter(|_| !is_cgi));
            https = https.or(all);
        }
        if http.is_none() && https.is_none() {
            return Ok(Self::System);
        }
        let except = value("NO_PROXY").map(|(_, list)| NoProxy::parse(&list.to_string_lossy()));
        Ok(Self::ByScheme(Box::new(ByScheme {
            http,
            https,
            except: except.unwrap_or_default(),
        })))
    }

    /// Returns the proxy for a request to `url`.
    fn of(&self, url: &Url) -> Option<&Named> {
        match self {
            Self::None | Self::System => None,
            Self::All(named) => Some(named),
            Self::ByScheme(proxies) if proxies.except.covers(url) => None,
            Self::ByScheme(proxies) => match url.scheme() {
                "http" => proxies.http.as_ref(),
                "https" => proxies.https.as_ref(),
                _ => None,
            },
        }
    }

    /// Makes a client send its requests through these proxies.
    pub(super) fn apply(&self, builder: ClientBuilder) -> ClientBuilder {
        match self {
            Self::System => builder,
            Self::None => builder.no_proxy(),
            Self::All(_) | Self::ByScheme(_) => {
                let proxies = self.clone();
                let proxy = move |url: &Url| proxies.of(url).map(|named| named.url.clone());
                builder.no_proxy().proxy(Proxy::custom(proxy))
            }
        }
    }

    /// Returns the error for a request to `url` that failed with `error`. It names the proxy of the request if the
    /// proxy may be the reason.
    pub(super) fn explain(&self, error: Error, url: &Url) -> Error {
        let asked = |address: &str| Url::parse(address).unwrap_or_else(|_| url.clone());
        match error {
            Error::Unreachable {
                registry,
                address,
                source,
            } => match self.of(&asked(&address)) {
                Some(proxy) if demands_password(source.as_ref()) => proxy.denied(),
                Some(proxy) => Error::Proxy(ProxyError::Unreachable {
                    registry,
                    proxy: proxy_name(&proxy.url),
                    named_by: proxy.by.clone(),
                    source,
                }),
                None => Error::Unreachable {
                    registry,
                    address,
                    source,
                },
            },
            Error::Tls {
                registry,
                address,
                problem,
                source,
            } => match self.of(&asked(&address)) {
                Some(proxy) if is_of_proxy(proxy, &address, source.as_ref()) => {
                    Error::Proxy(ProxyError::Tls {
                        proxy: proxy_name(&proxy.url),
                        named_by: proxy.by.clone(),
                        problem,
                        source,
                    })
                }
                _ => Error::Tls {
                    registry,
                    address,
                    problem,
                    source,
                },
            },
            Error::Refused { ref answer, .. } => {
                let refused = StatusCode::from_u16(answer.status).ok();
                let refused = refused.and_then(|status| self.refusal(status, url));
                refused.unwrap_or(error)
            }
            error => error,
        }
    }

    /// Returns the error for an answer with `status` to a request to `url`, if the answer comes from a proxy.
    pub(super) fn refusal(&self, status: StatusCode, url: &Url) -> Option<Error> {
        let proxy = self.of(url)?;
        (status == StatusCode::PROXY_AUTHENTICATION_REQUIRED).then(|| proxy.denied())
    }
}

fn named(name: String, value: OsString) -> Result<Named, Error> {
    let url = match value.to_str() {
        Some(value) => proxy_url(value),
        None => Err("it is not text"),
    };
    match url {
        Ok(url) => Ok(Named { url, by: name }),
        Err(reason) => Err(Error::Proxy(ProxyError::Variable {
            variable: name,
            reason,
        })),
    }
}

/// Returns whether the handshake that failed was with the proxy, and not with the registry at `address` behind it.
fn is_of_proxy(
    proxy: &Named,
    address: &str,
    error: &(dyn std::error::Error + Send + Sync + 'static),
) -> bool {
    // The handshake with an HTTPS proxy comes first. An error in it means that there was no tunnel yet.
    proxy.url.scheme() == "https"
        && (!address.starts_with("https:") || with_causes(error).contains("tunnel error"))
}

/// Returns whether a proxy has refused a tunnel because of a missing or wrong password. The text is compared, because
/// the type of the error is private to the HTTP library.
fn demands_password(error: &(dyn std::error::Error + Send + Sync + 'static)) -> bool {
    let said = with_causes(error);
    said.contains("proxy authorization required") || said.contains("credentials not accepted")
}

#[cfg(test)]
#[path = "tests/proxies.rs"]
mod tests;
