//! FILE|REF: an archive that a command reads, wherever it is.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use wasmcloud_par::archive::{self, Contents, Limits, Target};
use wasmcloud_par::content::{Digest, ErrorKind, MeteredReader};

use super::problem::Failure;
use super::session::{Session, blocking, text};

/// The argument as it was written: a path need not be text.
pub(crate) type Argument = OsString;

/// Where an archive is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Source {
    File(PathBuf),
    StandardInput,
}

/// A verified archive.
pub(crate) struct Checked {
    pub(crate) contents: Contents,
    /// The digest of its manifest, when it came from somewhere that has one.
    pub(crate) digest: Option<Digest>,
}

impl From<Contents> for Checked {
    fn from(contents: Contents) -> Self {
        Self {
            contents,
            digest: None,
        }
    }
}

impl Source {
    pub(crate) fn parse(argument: &OsStr) -> Result<Self> {
        let path = file(argument);
        if path.is_some() || Path::new(argument).is_file() {
            return Ok(Self::File(path.unwrap_or_else(|| argument.into())));
        }
        bail!(Failure::new(
            ErrorKind::NotFound,
            format!("there is no file {}", text(Path::new(argument)))
        ))
    }

    /// Verifies the whole archive.
    pub(crate) async fn verify(&self, session: &Session) -> Result<Checked> {
        let session = session.clone();
        let contents = match self {
            Self::File(path) => {
                let path = path.clone();
                blocking(move || {
                    let input = session.open(&path, "verifying")?;
                    archive::verify(input, &Limits::default())
                        .map_err(|error| error.in_archive(&path).into())
                })
                .await?
            }
            Self::StandardInput => {
                blocking(move || {
                    let meter = session.progress().begin("verifying", 0);
                    let input = MeteredReader::new(std::io::stdin().lock(), meter);
                    archive::verify(input, &Limits::default())
                        .map_err(|error| error.in_archive(Path::new("on standard input")).into())
                })
                .await?
            }
        };
        Ok(contents.into())
    }

    /// Writes one executable to `destination`, after the whole archive has been verified.
    pub(crate) async fn extract(
        &self,
        target: &Target,
        destination: &Path,
        mode: u32,
        session: &Session,
    ) -> Result<Checked> {
        let (target, destination) = (target.clone(), destination.to_owned());
        let session = session.clone();
        match self {
            Self::File(path) => {
                let path = path.clone();
                let contents = blocking(move || {
                    let input = session.open(&path, "extracting")?;
                    archive::extract(input, &target, &destination, mode, &Limits::default())
                        .map_err(|error| error.in_archive(&path).into())
                })
                .await?;
                Ok(contents.into())
            }
            Self::StandardInput => bail!(Failure::usage("an archive to extract from is a file")),
        }
    }

    /// A name for what is made from the archive: its file name without extensions.
    pub(crate) fn stem(&self) -> String {
        match self {
            Self::File(path) => stem(path),
            Self::StandardInput => "provider".to_owned(),
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(formatter),
            Self::StandardInput => formatter.write_str("standard input"),
        }
    }
}

/// A path from an argument that can only be one; `file://` in front is accepted.
pub(crate) fn path(argument: &OsStr) -> PathBuf {
    match argument
        .to_str()
        .and_then(|text| text.strip_prefix("file://"))
    {
        Some(path) => PathBuf::from(path),
        None => PathBuf::from(argument),
    }
}

/// The path, when the argument looks like one whether or not it exists.
fn file(argument: &OsStr) -> Option<PathBuf> {
    let text = argument.to_string_lossy();
    if text.starts_with("file://") {
        return Some(path(argument));
    }
    if text.contains("://") {
        return None;
    }
    let explicit = Path::new(argument).is_absolute()
        || ["./", "../", ".\\", "..\\"]
            .iter()
            .any(|prefix| text.starts_with(prefix));
    let named = [".par", ".par.gz"]
        .iter()
        .any(|suffix| text.ends_with(suffix));
    (explicit || named).then(|| PathBuf::from(argument))
}

fn stem(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let stem = name
        .strip_suffix(".par.gz")
        .or_else(|| name.strip_suffix(".par"))
        .map(str::to_owned)
        .or_else(|| Some(path.file_stem()?.to_string_lossy().into_owned()));
    stem.filter(|stem| !stem.is_empty())
        .unwrap_or_else(|| "provider".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_told_from_references_by_their_form() {
        for argument in ["./x", "/x/y", "../x", "x.par", "a/b.par.gz", "file://x"] {
            assert!(file(OsStr::new(argument)).is_some(), "{argument}");
        }
        for argument in [
            "ghcr.io/org/provider:1",
            "oci://x/y.par",
            "oci-layout://dir",
            "x",
        ] {
            assert!(file(OsStr::new(argument)).is_none(), "{argument}");
        }
    }

    #[test]
    fn an_archive_is_named_without_its_extensions() {
        for (path, name) in [("a/b.par.gz", "b"), ("b.1.par", "b.1"), ("c.tar", "c")] {
            assert_eq!(stem(Path::new(path)), name);
        }
    }
}
