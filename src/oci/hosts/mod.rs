//! Which hosts serve a registry, by containerd's convention (its `docs/hosts.md`): mirrors in order, then
//! the registry itself.
//!
//! ```text
//! <folder>/ghcr.io/hosts.toml            for one registry
//! <folder>/ghcr.io_8443_/hosts.toml      the same with a port, as `ghcr.io:8443` is too
//! <folder>/ghcr.io/ca.crt                without a hosts.toml, Docker's layout: authorities,
//! <folder>/ghcr.io/client.cert           and a client certificate
//! <folder>/ghcr.io/client.key            with its key
//! <folder>/_default/hosts.toml           for all the others
//! ```
//!
//! Differs from containerd: a malformed file is an error, where containerd goes on without it; the
//! registry itself keeps the `capabilities` at the top of the file when `server` does not name it; and
//! `dial_timeout` is not read. As with containerd, headers go along when a host redirects, but for those
//! that HTTP itself has for credentials.

mod file;

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use reqwest::Url;
use reqwest::header::HeaderMap;

use crate::content::{in_place_of_a_folder, is_absent, user_folder};

use super::error::Error;

/// The largest `hosts.toml` that is read, in bytes.
const FILE_LIMIT: u64 = 1024 * 1024;
/// The folder that containerd's documentation gives.
const CONTAINERD: &str = "/etc/containerd/certs.d";
/// The entry for registries that have none of their own.
const DEFAULT: &str = "_default";

/// A certificate that tells a registry who is asking (mutual TLS).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClientCertificate {
    /// A PEM file with the certificate, and those that lead to its authority.
    pub certificate: PathBuf,
    /// A PEM file with the private key, unencrypted. `None`: it is in the same file.
    pub key: Option<PathBuf>,
}

impl ClientCertificate {
    /// A certificate, and its key when that is in a file of its own.
    #[must_use]
    pub fn new(certificate: PathBuf, key: Option<PathBuf>) -> Self {
        Self { certificate, key }
    }
}

/// What a host may be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Capability {
    /// Content by its digest.
    Pull,
    /// What a tag stands for.
    Resolve,
    /// To take content.
    Push,
    /// What refers to content.
    Referrers,
}

impl Capability {
    const ALL: [Self; 4] = [Self::Pull, Self::Resolve, Self::Push, Self::Referrers];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Pull => "pull",
            Self::Resolve => "resolve",
            Self::Push => "push",
            Self::Referrers => "referrers",
        }
    }
}

/// One host that serves a registry, and how it is reached.
#[derive(Debug, Clone)]
pub(super) struct Host {
    /// Where its API begins: `https://mirror.example/v2`. `None`: at the registry itself.
    pub(super) base: Option<Url>,
    pub(super) capabilities: Vec<Capability>,
    pub(super) certificate_authorities: Vec<PathBuf>,
    pub(super) client_certificate: Option<ClientCertificate>,
    pub(super) skip_tls_verify: bool,
    /// What is sent along with each request.
    pub(super) headers: HeaderMap,
    /// The proxy to reach it through, whatever the environment says.
    pub(super) proxy: Option<Url>,
}

impl Host {
    /// The registry itself, about which nothing special is known.
    fn registry() -> Self {
        Self {
            base: None,
            capabilities: Capability::ALL.to_vec(),
            certificate_authorities: Vec::new(),
            client_certificate: None,
            skip_tls_verify: false,
            headers: HeaderMap::new(),
            proxy: None,
        }
    }

    /// Whether something is said about its TLS, so that it must speak it.
    pub(super) fn has_tls_settings(&self) -> bool {
        self.skip_tls_verify
            || self.client_certificate.is_some()
            || !self.certificate_authorities.is_empty()
    }
}

/// The hosts that serve `registry`, in the order in which they are asked; never none. They are looked
/// for in `folder`, or where they are by default. Blocks: it reads files.
pub(super) fn find(registry: &str, folder: Option<&Path>) -> Result<Vec<Host>, Error> {
    for folder in folders(folder)? {
        for name in names(registry) {
            let entry = folder.join(name);
            if is_there(&entry)? {
                return read_entry(&entry);
            }
        }
    }
    Ok(vec![Host::registry()])
}

/// Makes sure that `folder` is one: who names it means something that is there.
pub(super) fn check(folder: &Path) -> Result<(), Error> {
    let listed = match in_place_of_a_folder(folder) {
        None => fs::read_dir(folder).map(drop),
        Some(other) => {
            let reason = format!("{} is a file, and a folder is expected", other.display());
            Err(io::Error::new(io::ErrorKind::InvalidInput, reason))
        }
    };
    listed.map_err(|source| Error::HostsFolder {
        path: folder.to_owned(),
        source,
    })
}

/// The folders with entries; only the first that has one for a registry counts.
fn folders(named: Option<&Path>) -> Result<Vec<PathBuf>, Error> {
    if let Some(folder) = named {
        check(folder)?;
        return Ok(vec![folder.to_owned()]);
    }
    let own = user_folder("XDG_CONFIG_HOME", ".config");
    let own = own.map(|folder| folder.join("wasmcloud-par").join("hosts"));
    let candidates = own.into_iter().chain([PathBuf::from(CONTAINERD)]);
    let readable = candidates.filter(|folder| match fs::read_dir(folder) {
        Ok(_) => true,
        Err(error) if is_absent(&error) => false,
        Err(error) => {
            // Containerd's may well be for the administrator alone.
            tracing::warn!(
                "what {} says about registries is left out: {error}",
                folder.display()
            );
            false
        }
    });
    Ok(readable.collect())
}

/// What the entry of a registry may be called; `:` is no good in a name on Windows.
fn names(registry: &str) -> impl Iterator<Item = String> {
    let port = registry.rsplit_once(':');
    let port = port.filter(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit()));
    let safe = port.map(|(host, port)| format!("{host}_{port}_"));
    let names = safe.into_iter().chain([registry.to_owned()]);
    names.chain([DEFAULT.to_owned()])
}

fn is_there(path: &Path) -> Result<bool, Error> {
    match fs::metadata(path) {
        Ok(_) => Ok(true),
        Err(error) if is_absent(&error) => Ok(false),
        Err(error) => Err(Error::file(path)(error)),
    }
}

fn read_entry(folder: &Path) -> Result<Vec<Host>, Error> {
    let path = folder.join("hosts.toml");
    let opened = match File::open(&path) {
        Ok(file) => file,
        Err(error) if is_absent(&error) => return Ok(vec![certificates_in(folder)?]),
        Err(error) => return Err(Error::file(&path)(error)),
    };
    let mut bytes = Vec::new();
    let read = opened.take(FILE_LIMIT + 1).read_to_end(&mut bytes);
    read.map_err(Error::file(&path))?;
    let malformed = |line, reason| Error::HostsFile {
        path: path.clone(),
        line,
        reason,
    };
    if bytes.len() as u64 > FILE_LIMIT {
        return Err(malformed(1, format!("it has more than {FILE_LIMIT} bytes")));
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let good = error.utf8_error().valid_up_to();
        let before = error.as_bytes().iter().take(good);
        let line = before.filter(|byte| **byte == b'\n').count() + 1;
        malformed(line, "it is not UTF-8".to_owned())
    })?;
    file::parse(&text, folder).map_err(|problem| malformed(problem.line, problem.reason))
}

/// The registry itself with the certificates that Docker's layout gives it.
fn certificates_in(folder: &Path) -> Result<Host, Error> {
    let mut host = Host::registry();
    let listed = fs::read_dir(folder).and_then(Iterator::collect::<io::Result<Vec<_>>>);
    let mut files: Vec<_> = listed.map_err(Error::file(folder))?;
    files.sort_by_key(fs::DirEntry::file_name);
    let mut certificates = Vec::new();
    for path in files.iter().map(fs::DirEntry::path) {
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("crt") => host.certificate_authorities.push(path),
            Some("cert") => {
                let key = path.with_extension("key");
                certificates.push(ClientCertificate::new(path, Some(key)));
            }
            _ => {}
        }
    }
    host.client_certificate = only(certificates);
    Ok(host)
}

/// The first client certificate: the TLS library offers one, whichever authorities the server names.
fn only(certificates: Vec<ClientCertificate>) -> Option<ClientCertificate> {
    let mut certificates = certificates.into_iter();
    let first = certificates.next();
    for unused in certificates {
        tracing::warn!(
            "one client certificate is used for a host, and {} is not the first",
            unused.certificate.display()
        );
    }
    first
}

#[cfg(test)]
mod tests;
