//! FILE|REF: an archive that a command reads, wherever it is.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io::{IsTerminal, Stdin};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::archive::{self, Contents, Limits, Target, VerifiedClaims, extract_file};
use crate::cache::Identity;
use crate::client::{self, Inspected, Summary, TrustPolicy};
use crate::content::{Digest, ErrorKind, MeteredReader, Step, open_regular};
use crate::oci::Reference;
use anyhow::{Error, Result, bail};

use super::problem::Failure;
use super::registry::RegistryArgs;
use super::session::{Session, blocking, detached};

/// The argument as it was written: a path need not be text.
pub(crate) type Argument = OsString;

/// Where an archive is.
pub(crate) enum Source {
    File(PathBuf),
    Reference(Reference),
    StandardInput,
}

/// A verified archive.
pub(crate) struct Checked {
    pub(crate) contents: Contents,
    /// The digest of its manifest, when it came from somewhere that has one.
    pub(crate) digest: Option<Digest>,
    /// Who it had to be from, and is, when its repository is pinned.
    pub(crate) pin: Option<Identity>,
}

impl Source {
    /// A file when it looks like a path or exists as one, standard input when it is `-`, else a reference.
    pub(crate) fn parse(argument: &OsStr, registry: &RegistryArgs) -> Result<Self> {
        if argument == "-" {
            return Ok(Self::StandardInput);
        }
        if let Some(path) = file(argument) {
            return Ok(Self::File(path));
        }
        if Path::new(argument).is_file() {
            return Ok(Self::File(argument.into()));
        }
        let written = argument.to_string_lossy();
        let reference = match written.parse::<Reference>() {
            // It is there, so the mistake is not in how a reference is written.
            Err(_) if Path::new(argument).exists() => return Ok(Self::File(argument.into())),
            other => other,
        };
        let reference = reference.map_err(|error| {
            // Without a slash it is hardly meant as a reference.
            let kind = if written.contains('/') {
                ErrorKind::Usage
            } else {
                ErrorKind::NotFound
            };
            let message = format!("there is no file `{written}`, and it is no reference either");
            Error::new(error).context(Failure::new(kind, message))
        })?;
        Ok(Self::Reference(registry.settle(reference, false)?))
    }

    /// The registry that it is in, when it is in one.
    pub(crate) fn registry(&self) -> Option<&str> {
        match self {
            Self::Reference(Reference::Registry(reference)) => Some(reference.registry()),
            _ => None,
        }
    }

    /// Verifies the whole archive, and that its issuer is trusted.
    pub(crate) async fn verify(
        &self,
        trust: &TrustPolicy,
        registry: &RegistryArgs,
        session: &Session,
    ) -> Result<Checked> {
        let contents = match self {
            Self::Reference(reference) => {
                let client = registry.client(session, trust.clone()).await?;
                let Inspected { contents, digest } = client.inspect(reference).await?;
                let pin = client.identity(reference).await?;
                // It may have been made, or changed, only since then.
                let claims = &contents.claims;
                let pin = pin.filter(|pin| {
                    (&*pin.issuer, &*pin.subject)
                        == (claims.issuer().as_str(), claims.subject().as_str())
                });
                return Ok(Checked {
                    contents,
                    digest: Some(digest),
                    pin,
                });
            }
            Self::File(path) => {
                let (path, session) = (path.clone(), session.clone());
                blocking(move || {
                    let (mut file, _) = open_regular(&path).map_err(|source| {
                        let path = path.clone();
                        archive::Error::Read { path, source }
                    })?;
                    let progress = session.progress().as_ref();
                    archive::verify_file(&mut file, &Limits::default(), progress)
                        .map_err(|error| error.in_archive(&path).into())
                })
                .await?
            }
            Self::StandardInput => {
                let meter = session.progress().begin(Step::Verifying, 0);
                let input = MeteredReader::new(standard_input()?, meter);
                detached(move || {
                    archive::verify(input, &Limits::default())
                        .map_err(|error| error.in_archive(Path::new(STANDARD_INPUT)).into())
                })
                .await?
            }
        };
        let checked = trust.check_file(&contents.claims, &self.to_string());
        checked.map_err(client::Error::from)?;
        Ok(Checked {
            contents,
            digest: None,
            pin: None,
        })
    }

    /// What the archive says of itself, its world included if `world` is asked for. One that is behind a
    /// reference is not downloaded for that, if it need not be.
    pub(crate) async fn summarize(
        &self,
        world: bool,
        registry: &RegistryArgs,
        session: &Session,
    ) -> Result<Summary> {
        if let Self::Reference(reference) = self {
            let user = session.clone();
            let (session, _folder) = blocking(move || user.with_any_cache()).await?;
            let client = registry.client(&session, TrustPolicy::anyone()).await?;
            return Ok(client.summarize(reference, world).await?.summary);
        }
        Ok(self
            .verify(&TrustPolicy::anyone(), registry, session)
            .await?
            .contents
            .into())
    }

    /// Writes one verified executable to `destination`, and gives the claims that it is covered by.
    pub(crate) async fn extract(
        &self,
        target: &Target,
        destination: &Path,
        mode: u32,
        trust: TrustPolicy,
        registry: &RegistryArgs,
        session: &Session,
    ) -> Result<VerifiedClaims> {
        match self {
            Self::Reference(reference) => {
                let client = registry.client(session, trust).await?;
                let extracted = client.extract(reference, target, destination, mode).await?;
                Ok(extracted.contents.claims)
            }
            Self::File(path) => {
                let (path, progress) = (path.clone(), Arc::clone(session.progress()));
                let (target, destination) = (target.clone(), destination.to_owned());
                let limits = Limits::default();
                blocking(move || {
                    let progress = progress.as_ref();
                    if trust.restricts_files() {
                        // Before anything is written: an archive has one token.
                        let claims = claims_of(&path, &limits)?;
                        let checked = trust.check_file(&claims, &path.display().to_string());
                        checked.map_err(client::Error::from)?;
                    }
                    let claims =
                        extract_file(&path, &target, &destination, mode, &limits, progress);
                    Ok(claims?)
                })
                .await
            }
            Self::StandardInput => bail!(
                Failure::usage("nothing is extracted from standard input")
                    .hint("write the archive to a file first")
            ),
        }
    }

    /// Replacing the archive with something that is taken out of it is never meant.
    pub(crate) fn refuse_as_destination(&self, destination: &Path) -> Result<()> {
        match self {
            Self::File(path) if is_one_file(path, destination) => bail!(
                Failure::usage(format!("it would replace the archive {}", path.display()))
                    .hint("name another file with --destination")
            ),
            _ => Ok(()),
        }
    }

    /// A name for what is made from the archive: its file name without extensions.
    pub(crate) fn stem(&self) -> String {
        match self {
            Self::File(path) => stem(path),
            Self::Reference(reference) => reference.file_stem().to_owned(),
            Self::StandardInput => "provider".to_owned(),
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(formatter),
            Self::Reference(reference) => reference.fmt(formatter),
            Self::StandardInput => formatter.write_str("standard input"),
        }
    }
}

/// Whether both names are of one file that exists.
pub(crate) fn is_one_file(one: &Path, other: &Path) -> bool {
    let other = other.canonicalize();
    one.canonicalize()
        .is_ok_and(|one| other.is_ok_and(|other| one == other))
}

fn claims_of(path: &Path, limits: &Limits) -> Result<VerifiedClaims, archive::Error> {
    let (file, _) = open_regular(path).map_err(|source| archive::Error::Read {
        path: path.to_owned(),
        source,
    })?;
    archive::read_claims(file, limits).map_err(|error| error.in_archive(path))
}

/// What an archive is called that comes from a pipe, in "the archive …".
pub(crate) const STANDARD_INPUT: &str = "on standard input";

/// Standard input, to read an archive from: nobody types one.
pub(crate) fn standard_input() -> Result<Stdin> {
    let input = std::io::stdin();
    if input.is_terminal() {
        bail!(
            Failure::usage("standard input is a terminal, and no archive")
                .hint("name a file, or let another program write to `par`: `… | par push REF -`")
        );
    }
    Ok(input)
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
