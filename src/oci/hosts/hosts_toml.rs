//! The format of `hosts.toml`. Unknown keys are ignored, as in containerd, with a warning.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

use reqwest::Url;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde::Deserialize;
use toml::Spanned;

use crate::content::line_and_column;

use super::super::names::{DOCKER_HUB, DOCKER_HUB_HOST};
use super::super::proxy_url::proxy_url;
use super::host::{Capability, ClientCertificate, Host, first_certificate};

/// A mistake in a file.
#[derive(Debug)]
pub(super) struct Problem {
    pub(super) position: Position,
    pub(super) reason: String,
}

impl Problem {
    fn at(text: &str, span: Option<Range<usize>>, reason: String) -> Self {
        Self {
            position: Position::of(text, span.map_or(0, |span| span.start)),
            reason,
        }
    }
}

/// A position in a file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Position {
    /// The line, counted from 1.
    pub(super) line: usize,
    /// The column in characters, counted from 1.
    pub(super) column: usize,
}

impl Position {
    pub(super) const START: Self = Self { line: 1, column: 1 };

    /// Returns the position of the byte at `offset`.
    pub(super) fn of(text: &str, offset: usize) -> Self {
        let (line, column) = line_and_column(text, offset);
        Self { line, column }
    }
}

#[derive(Deserialize)]
struct Document {
    server: Option<Spanned<String>>,
    #[serde(default)]
    host: BTreeMap<Spanned<String>, Settings>,
}

/// The settings of a host. The settings at the top of the file are for `server`.
#[derive(Deserialize)]
struct Settings {
    capabilities: Option<Vec<Capability>>,
    ca: Option<OneOrMore<PathBuf>>,
    client: Option<Clients>,
    #[serde(default)]
    skip_verify: bool,
    #[serde(default)]
    header: BTreeMap<Spanned<String>, OneOrMore<String>>,
    #[serde(default)]
    override_path: bool,
    proxy: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "expected a string or a list of strings")]
enum OneOrMore<T> {
    One(T),
    More(Vec<T>),
}

impl<T> OneOrMore<T> {
    fn into_vec(self) -> Vec<T> {
        match self {
            Self::One(one) => vec![one],
            Self::More(more) => more,
        }
    }
}

/// Client certificates: one file, or a list whose items are files or pairs of a certificate and a key.
#[derive(Deserialize)]
#[serde(
    untagged,
    expecting = "expected the path of a file, a list of paths, or a list of [certificate, key]"
)]
enum Clients {
    One(PathBuf),
    More(Vec<Client>),
}

#[derive(Deserialize)]
#[serde(
    untagged,
    expecting = "expected the path of a file, or the paths of a certificate and its key"
)]
enum Client {
    Together(PathBuf),
    Apart(PathBuf, PathBuf),
}

impl<'de> Deserialize<'de> for Capability {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        let known = |known: &Self| known.name().eq_ignore_ascii_case(&name);
        let expected = "a capability is `pull`, `resolve`, `push` or `referrers`";
        let unknown = || serde::de::Error::custom(format!("{expected}, not `{name}`"));
        Self::ALL.into_iter().find(known).ok_or_else(unknown)
    }
}

/// Returns the hosts in `text`, the content of a file in `directory`, with the server as the last one. Relative paths
/// are relative to `directory`.
pub(super) fn parse(text: &str, directory: &Path) -> Result<Vec<Host>, Problem> {
    let malformed =
        |error: toml::de::Error| Problem::at(text, error.span(), error.message().to_owned());
    let document: Document = toml::from_str(text).map_err(malformed)?;
    let server: Settings = toml::from_str(text).map_err(malformed)?;
    let mut tables: Vec<_> = document.host.into_iter().collect();
    // The map sorts the hosts by name. They are asked in the order of the file.
    tables.sort_by_key(|(url, _)| url.span().start);
    let mirrors = tables
        .into_iter()
        .map(|(url, settings)| (Some(url), settings));
    let hosts = mirrors.chain([(document.server, server)]);
    hosts
        .map(|(url, settings)| host(text, directory, url, settings))
        .collect()
}

fn host(
    text: &str,
    directory: &Path,
    url: Option<Spanned<String>>,
    settings: Settings,
) -> Result<Host, Problem> {
    let url = url.filter(|url| !url.get_ref().is_empty());
    let base = url.map(|url| {
        base(url.get_ref(), settings.override_path).map_err(|reason| {
            let reason = format!("`{}` {reason}", without_credentials(url.get_ref()));
            Problem::at(text, Some(url.span()), reason)
        })
    });
    let proxy = settings.proxy.map(|proxy| {
        // A single word is more likely a mistake than a host.
        let named = proxy.get_ref().contains(':');
        let parsed = if named {
            proxy_url(proxy.get_ref())
        } else {
            Err("it is not a URL such as http://proxy:3128")
        };
        parsed.map_err(|reason| {
            let reason = format!("the proxy cannot be used: {reason}");
            Problem::at(text, Some(proxy.span()), reason)
        })
    });
    let authorities = settings.ca.map_or_else(Vec::new, OneOrMore::into_vec);
    let authorities = authorities.iter().map(|path| directory.join(path));
    let clients = match settings.client {
        Some(Clients::One(path)) => vec![Client::Together(path)],
        Some(Clients::More(clients)) => clients,
        None => Vec::new(),
    };
    let certificates = clients.into_iter().map(|client| match client {
        Client::Together(path) => ClientCertificate::new(directory.join(path), None),
        Client::Apart(path, key) => {
            // In containerd, an empty string means that the key is in the first file.
            let key = (!key.as_os_str().is_empty()).then(|| directory.join(key));
            ClientCertificate::new(directory.join(path), key)
        }
    });
    Ok(Host {
        base: base.transpose()?,
        capabilities: match settings.capabilities {
            Some(capabilities) if !capabilities.is_empty() => capabilities,
            _ => Capability::ALL.to_vec(),
        },
        certificate_authorities: authorities.collect(),
        client_certificate: first_certificate(certificates.collect()),
        skip_tls_verify: settings.skip_verify,
        headers: headers(text, settings.header)?,
        proxy: proxy.transpose()?,
        file: None,
    })
}

/// Returns the text of a URL for messages. The part before an `@` is left out, because it may be a password.
fn without_credentials(url: &str) -> Cow<'_, str> {
    match (url.split_once("://"), url.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, rest))) => format!("{scheme}://…@{rest}").into(),
        (None, Some((_, rest))) => format!("…@{rest}").into(),
        (_, None) => url.into(),
    }
}

/// Returns the root of the API of a host: `/v2` below its URL, or the URL itself with `override_path`.
fn base(url: &str, override_path: bool) -> Result<Url, &'static str> {
    let whole = if url.contains("://") {
        url.to_owned()
    } else {
        format!("https://{url}")
    };
    let mut url = Url::parse(&whole).map_err(|_| "is not a URL")?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err("is neither http nor https");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("contains credentials: they belong in Docker's config.json");
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err("has a query or a fragment");
    }
    if url.host_str() == Some(DOCKER_HUB) {
        url.set_host(Some(DOCKER_HUB_HOST))
            .map_err(|_| "is not a URL")?;
    }
    let mut path = url.path().trim_end_matches('/').to_owned();
    if !override_path && !path.ends_with("/v2") {
        path.push_str("/v2");
    }
    url.set_path(&path);
    Ok(url)
}

fn headers(
    text: &str,
    table: BTreeMap<Spanned<String>, OneOrMore<String>>,
) -> Result<HeaderMap, Problem> {
    let mut headers = HeaderMap::new();
    for (name, values) in table {
        // The message leaves out the value, which may be a secret.
        let malformed = || {
            let reason = format!("the header `{}` is malformed", name.get_ref());
            Problem::at(text, Some(name.span()), reason)
        };
        let parsed: HeaderName = name.get_ref().parse().map_err(|_| malformed())?;
        for value in values.into_vec() {
            let mut value = HeaderValue::try_from(value).map_err(|_| malformed())?;
            value.set_sensitive(true);
            headers.append(parsed.clone(), value);
        }
    }
    Ok(headers)
}
