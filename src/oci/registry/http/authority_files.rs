//! The files with the certificate authorities of a Unix system. The environment variables of OpenSSL can name them.

use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rustls_native_certs::{
    CertificateResult, Error, ErrorKind, load_certs_from_paths, load_native_certs,
};

use super::pem::mistake;

const FILE: &str = "SSL_CERT_FILE";
const DIRECTORIES: &str = "SSL_CERT_DIR";
/// The largest file with authorities that is read, in bytes.
const LONGEST: u64 = 16 << 20;
/// The usual files with the authorities of a system, as in Go's `crypto/x509`.
const USUAL: [&str; 6] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/pki/tls/cacert.pem",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// The place of the authorities.
#[derive(Debug, Default)]
pub(super) struct Place {
    /// The value of `SSL_CERT_FILE`.
    file: Option<PathBuf>,
    /// The values of `SSL_CERT_DIR`.
    directories: Vec<PathBuf>,
    /// Whether the library must not read the variables itself.
    ignores_variables: bool,
}

impl Place {
    /// Reads the variables. A variable with an empty value counts as unset.
    pub(super) fn of(variable: impl Fn(&str) -> Option<OsString>) -> Self {
        let (file, directories) = (variable(FILE), variable(DIRECTORIES));
        let ignores_variables = file.is_some() || directories.is_some();
        let directories = std::env::split_paths(&directories.unwrap_or_default())
            .filter(|path| !path.as_os_str().is_empty())
            .collect();
        Self {
            file: file.filter(|value| !value.is_empty()).map(PathBuf::from),
            directories,
            ignores_variables,
        }
    }

    /// Returns the usual place, and ignores the variables.
    pub(super) fn usual() -> Self {
        Self {
            file: None,
            directories: Vec::new(),
            ignores_variables: true,
        }
    }

    /// Whether a variable names the place.
    pub(super) fn is_chosen(&self) -> bool {
        self.file.is_some() || !self.directories.is_empty()
    }

    pub(super) fn load(&self) -> CertificateResult {
        if !self.is_chosen() {
            // The library would take an empty variable for a path.
            let usual = USUAL.map(PathBuf::from);
            let usual = usual
                .iter()
                .find(|path| self.ignores_variables && path.exists());
            return match usual {
                Some(usual) => load_certs_from_paths(Some(usual), None),
                None => load_native_certs(),
            };
        }
        let mut directories = self.directories.iter().map(PathBuf::as_path);
        let refused = self.file.as_deref().and_then(refusal);
        let file = self.file.as_deref().filter(|_| refused.is_none());
        let mut all = load_certs_from_paths(file, directories.next());
        all.errors.extend(refused);
        for directory in directories {
            let more = load_certs_from_paths(None, Some(directory));
            all.certs.extend(more.certs);
            all.errors.extend(more.errors);
        }
        all
    }
}

/// Returns the error about a file that may not be read, because it has no end or is too large. The library has no limit.
fn refusal(path: &Path) -> Option<Error> {
    let found = fs::metadata(path).ok()?;
    let reason = if found.is_file() {
        (found.len() > LONGEST).then(|| format!("it has more than {LONGEST} bytes"))
    } else {
        Some("it is not a file".to_owned())
    };
    reason.map(|reason| Error {
        context: "not read",
        kind: ErrorKind::Io {
            inner: io::Error::other(reason),
            path: path.to_owned(),
        },
    })
}

impl Place {
    /// Describes the errors of [`load`](Self::load) for messages. Blocks.
    pub(super) fn problems(&self, errors: &[Error]) -> Vec<String> {
        let describe = |error: &Error| match &error.kind {
            ErrorKind::Io { inner, path } => format!("cannot read {}: {inner}", path.display()),
            ErrorKind::Pem(error) => match self.malformed_file() {
                Some(path) => format!("in {}, {}", path.display(), mistake(error, "certificate")),
                None => mistake(error, "certificate"),
            },
            _ => error.to_string(),
        };
        errors.iter().map(describe).collect()
    }

    /// Returns the first file in the directories that is malformed PEM, because the errors of the library do not name
    /// the file.
    fn malformed_file(&self) -> Option<PathBuf> {
        let entries = self
            .directories
            .iter()
            .filter_map(|path| path.read_dir().ok());
        let mut files = entries
            .flatten()
            .filter_map(|entry| Some(entry.ok()?.path()));
        files.find(|path| {
            if !path.is_file() {
                return false;
            }
            let errors = load_certs_from_paths(Some(path), None).errors;
            let is_pem = |error: &Error| matches!(error.kind, ErrorKind::Pem(_));
            errors.iter().any(is_pem)
        })
    }
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let paths = self
            .directories
            .iter()
            .map(|path| path.display().to_string());
        let directories = paths.collect::<Vec<_>>().join(", ");
        match (&self.file, directories.as_str()) {
            (Some(file), "") => write!(formatter, "{}, which {FILE} names", file.display()),
            (Some(file), directories) => write!(
                formatter,
                "{}, which {FILE} names, and {directories}, which {DIRECTORIES} names",
                file.display()
            ),
            (None, "") => formatter.write_str("this system"),
            (None, directories) => {
                write!(formatter, "{directories}, which {DIRECTORIES} names")
            }
        }
    }
}

#[cfg(test)]
#[path = "tests/authority_files.rs"]
mod tests;
