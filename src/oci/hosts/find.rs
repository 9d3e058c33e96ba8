//! The search for the hosts of a registry.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::content::{
    is_absent, is_too_large, link_to_nothing, non_directory_at, open_unless_pipe, read_bounded,
    user_directory,
};

use super::super::error::Error;
use super::super::names::canonical_name;
use super::host::{ClientCertificate, Host, first_certificate};
use super::hosts_toml::{self, Position};
use super::unknown_keys::unknown_keys;

/// The largest `hosts.toml` that is read, in bytes.
const FILE_LIMIT: u64 = 1024 * 1024;
/// The directory from containerd's documentation.
const CONTAINERD: &str = "/etc/containerd/certs.d";
/// The entry for registries without their own entry.
const DEFAULT: &str = "_default";

/// Returns the hosts that serve `registry`, at least one, in the order in which they are asked. Reads their settings
/// from `directory`, or else from the user's and the system's directory. Blocks.
pub(in crate::oci) fn find(registry: &str, directory: Option<&Path>) -> Result<Vec<Host>, Error> {
    for directory in directories(directory)? {
        for name in names(registry) {
            let entry = directory.join(name);
            if exists(&entry)? {
                return read_entry(&entry);
            }
        }
    }
    Ok(vec![Host::registry()])
}

/// Checks that `directory`, which the caller named, is a readable directory.
pub(in crate::oci) fn check(directory: &Path) -> Result<(), Error> {
    let listed = match non_directory_at(directory) {
        None => fs::read_dir(directory).map(drop),
        Some(other) => {
            let reason = format!("{} is a file, not a directory", other.display());
            Err(io::Error::new(io::ErrorKind::InvalidInput, reason))
        }
    };
    listed.map_err(|source| Error::HostsDirectory {
        path: directory.to_owned(),
        source,
    })
}

/// Returns the directories with entries. For each registry, the first directory with an entry for it counts.
fn directories(named: Option<&Path>) -> Result<Vec<PathBuf>, Error> {
    if let Some(directory) = named {
        check(directory)?;
        return Ok(vec![directory.to_owned()]);
    }
    let own = user_directory("XDG_CONFIG_HOME", ".config");
    let own = own.map(|directory| directory.join("wasmcloud-par").join("hosts"));
    let mut directories: Vec<_> = own.into_iter().chain([CONTAINERD.into()]).collect();
    directories.retain(|directory| match fs::read_dir(directory) {
        Ok(_) => true,
        Err(error) if is_absent(&error) && is_nothing(directory) => false,
        Err(error) => {
            // The administrator may have made containerd's directory unreadable for users.
            tracing::warn!(
                "ignoring the settings of registries in {}: {error}",
                directory.display()
            );
            false
        }
    });
    Ok(directories)
}

/// Returns the names that the entry of a registry may have, in the order in which they are looked for. The names
/// without `:` are for Windows.
fn names(registry: &str) -> Vec<String> {
    let mut names = Vec::new();
    for spelling in [registry.to_owned(), canonical_name(registry)] {
        if let Some((host, port)) = spelling.rsplit_once(':')
            && port.bytes().all(|byte| byte.is_ascii_digit())
        {
            names.push(format!("{host}_{port}_"));
        }
        names.push(spelling);
    }
    names.push(DEFAULT.to_owned());
    names
}

fn exists(path: &Path) -> Result<bool, Error> {
    match fs::metadata(path) {
        Ok(_) => Ok(true),
        Err(error) if is_absent(&error) && is_nothing(path) => Ok(false),
        Err(error) => Err(Error::file(path)(error)),
    }
}

/// Returns whether nothing is at `path`, not even a link to nothing, there or above.
fn is_nothing(path: &Path) -> bool {
    path.symlink_metadata().is_err() && link_to_nothing(path).is_none()
}

/// Returns the hosts in the entry of a registry, which is a directory.
fn read_entry(directory: &Path) -> Result<Vec<Host>, Error> {
    let path = directory.join("hosts.toml");
    let malformed = |at: Position, reason| Error::HostsFile {
        path: path.clone(),
        line: at.line,
        column: at.column,
        reason,
    };
    let bytes = match open_unless_pipe(&path).and_then(|file| read_bounded(file, FILE_LIMIT)) {
        Ok(bytes) => bytes,
        Err(error) if is_absent(&error) && is_nothing(&path) => {
            return Ok(vec![certificates_in(directory)?]);
        }
        Err(error) if is_too_large(&error) => {
            let reason = format!("it has more than {FILE_LIMIT} bytes");
            return Err(malformed(Position::START, reason));
        }
        Err(error) => return Err(Error::file(&path)(error)),
    };
    let text = String::from_utf8(bytes).map_err(|error| {
        let good = error.utf8_error().valid_up_to();
        let before = String::from_utf8_lossy(error.as_bytes().get(..good).unwrap_or_default());
        malformed(Position::of(&before, good), "it is not UTF-8".to_owned())
    })?;
    // A byte order mark is not part of the text.
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let hosts = hosts_toml::parse(text, directory)
        .map_err(|problem| malformed(problem.position, problem.reason))?;
    for key in unknown_keys(text) {
        let Position { line, column } = Position::of(text, key.span.start);
        let path = path.display();
        tracing::warn!("{path}, line {line}, column {column}: {}", key.message);
    }
    let hosts = hosts.into_iter().map(|host| Host {
        file: Some(path.clone()),
        ..host
    });
    Ok(hosts.collect())
}

/// Returns the registry itself with the certificates in `directory`, which has the layout of Docker.
fn certificates_in(directory: &Path) -> Result<Host, Error> {
    let mut host = Host::registry();
    let listed = fs::read_dir(directory).and_then(Iterator::collect::<io::Result<Vec<_>>>);
    let mut files: Vec<_> = listed.map_err(Error::file(directory))?;
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
    host.client_certificate = first_certificate(certificates);
    Ok(host)
}
