//! `FILE|REF|-`: an archive that a command reads from a file, a registry, a layout or standard input.

use std::ffi::OsStr;
use std::fmt;
use std::io::{IsTerminal, Read, Stdin};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Result, bail};

use crate::archive::{
    self, Contents, Dates, Limits, RequestedTarget, Target, VerifiedClaims, extract_file,
};
use crate::cache::Pin;
use crate::cli::files;
use crate::cli::output::Failure;
use crate::cli::session::Session;
use crate::cli::threads::{blocking, detached};
use crate::client::sigstore::SigstoreIdentity;
use crate::client::{self, AttachedTypes, Client, Summarized, Summary, TrustPolicy};
use crate::content::{Digest, DigestReader, Hasher, MeteredReader, Step};
use crate::oci::Reference;

use super::inputs::{layout_files, refuse_inputs};
use super::path::{explicit_path, is_one_file, neither_file_nor_reference, stem};
use super::registry::RegistryArgs;

/// The name of an archive from standard input in messages, as in "the archive on standard input".
pub(crate) const STANDARD_INPUT: &str = "on standard input";

/// The mode of an extracted executable: its owner may write it, everybody may run it.
const MODE: u32 = 0o755;

/// Where an archive is read from.
pub(crate) enum Source {
    File(PathBuf),
    Reference(Reference),
    StandardInput,
}

/// A verified archive.
pub(crate) struct VerifiedSource {
    pub(crate) contents: Contents,
    /// The size of the archive in bytes. `None` for a reference.
    pub(crate) size: Option<u64>,
    /// The digest of the manifest. `None` for a file and for standard input.
    pub(crate) digest: Option<Digest>,
    /// The digest of the bytes of the archive, by SHA-256 for standard input. `None` for a file, and for an archive
    /// in several layers.
    pub(crate) archive: Option<Digest>,
    /// The pin of the repository, if the pin fits the archive: it has the same subject, and the same issuer or one to
    /// which that issuer has handed over. `None` if the repository is not pinned.
    pub(crate) pin: Option<Pin>,
    /// The Sigstore identity that vouches for the manifest. `None`: no identity is demanded.
    pub(crate) identity: Option<SigstoreIdentity>,
}

/// The facts about an archive that a command shows.
pub(crate) struct Shown {
    pub(crate) summary: Summary,
    /// The size of the archive in bytes.
    pub(crate) size: Option<u64>,
    /// The manifest. `None` for a file and for standard input.
    pub(crate) manifest: Option<Summarized>,
    /// How many artifacts of each type are attached to the manifest. `None`: it is not known, or there is no manifest.
    pub(crate) attached: Option<AttachedTypes>,
}

impl Source {
    /// Parses an argument: `-` is standard input, a text that has the form of a path or is the name of an existing file
    /// is a file, and everything else is a reference.
    pub(crate) fn parse(argument: &OsStr, registry: &RegistryArgs) -> Result<Self> {
        if argument == "-" {
            return Ok(Self::StandardInput);
        }
        if let Some(path) = explicit_path(argument) {
            return Ok(Self::File(path));
        }
        let written = argument.to_string_lossy();
        let reference = written.parse::<Reference>();
        // A directory or a device counts as a file if its name is not a reference. The error of opening it explains the
        // problem.
        let path = Path::new(argument);
        if path.is_file() || (reference.is_err() && path.exists()) {
            return Ok(Self::File(argument.into()));
        }
        let reference = reference.map_err(|error| neither_file_nor_reference(&written, error))?;
        Ok(Self::Reference(registry.settle(reference, false)?))
    }

    /// The reference, if the archive is read from a registry or a layout.
    pub(crate) fn reference(&self) -> Option<&Reference> {
        match self {
            Self::Reference(reference) => Some(reference),
            _ => None,
        }
    }

    /// Verifies the whole archive, and checks that `trust` allows it. `dates` says whether claims may become valid
    /// later.
    pub(crate) async fn verify(
        &self,
        trust: &TrustPolicy,
        dates: Dates,
        registry: &RegistryArgs,
        session: &Session,
    ) -> Result<VerifiedSource> {
        let mut archive = None;
        let (contents, size) = match self {
            Self::Reference(reference) => {
                let verify = async |session: &Session| {
                    let client = registry.client(session, trust.clone()).await?;
                    verify_reference(reference, client, dates).await
                };
                return match reference {
                    // The cache may have the content, which would hide that the layout is damaged.
                    Reference::Layout(_) => session.in_temporary_cache(verify).await,
                    Reference::Registry(_) => session.in_usable_cache(verify).await,
                };
            }
            Self::File(path) => {
                let (path, session) = (path.clone(), session.clone());
                blocking(move || {
                    let mut file = files::open(&path)?;
                    let size = file.metadata().map_or(0, |file| file.len());
                    let progress = session.progress().as_ref();
                    archive::verify_file_with(&mut file, &Limits::default(), dates, progress)
                        .map(|contents| (contents, size))
                        .map_err(|error| error.in_archive(&path).into())
                })
                .await?
            }
            Self::StandardInput => {
                let meter = session.progress().begin(Step::Verifying, 0);
                let mut input = DigestReader::new(MeteredReader::new(standard_input()?, meter));
                let verified = detached(move || {
                    let contents = archive::verify_with(&mut input, &Limits::default(), dates)
                        .map_err(|error| error.in_archive(Path::new(STANDARD_INPUT)))?;
                    Ok((contents, input.finish("")))
                });
                let (contents, bytes) = verified.await?;
                archive = Some(bytes.digest);
                (contents, bytes.size)
            }
        };
        let checked = trust.check_file(&contents.claims, &self.to_string());
        checked.map_err(client::Error::from)?;
        Ok(VerifiedSource {
            contents,
            size: Some(size),
            digest: None,
            archive,
            pin: None,
            identity: None,
        })
    }

    /// Returns the digest of the bytes of a verified archive with the algorithm of `other`. `None`: it is not known, as
    /// for an archive in several layers.
    pub(crate) async fn digest_like(
        &self,
        verified: &VerifiedSource,
        other: &Digest,
    ) -> Result<Option<Digest>> {
        let algorithm = other.algorithm();
        let Self::File(path) = self else {
            let digest = verified.archive.clone();
            return Ok(digest.filter(|digest| digest.algorithm() == algorithm));
        };
        let path = path.clone();
        let digest = blocking(move || {
            let mut file = files::open(&path)?;
            let mut hasher = Hasher::new(algorithm);
            let mut buffer = vec![0; 256 * 1024];
            loop {
                let read = file.read(&mut buffer).map_err(|source| {
                    let path = path.clone();
                    archive::Error::Read { path, source }
                })?;
                match buffer.get(..read) {
                    None | Some([]) => return Ok(hasher.finish()),
                    Some(bytes) => hasher.update(bytes),
                }
            }
        });
        Ok(Some(digest.await?))
    }

    /// Returns the summary of the archive, with its WIT world if `world` is set. The archive of a reference is not
    /// downloaded if its manifest or its index is enough. With `attached`, the registry is also asked what is attached
    /// to the manifest, unless only the cache is used.
    pub(crate) async fn summarize(
        &self,
        world: bool,
        attached: bool,
        registry: &RegistryArgs,
        session: &Session,
    ) -> Result<Shown> {
        if let Self::Reference(reference) = self {
            let summarize = async |session: &Session| {
                let client = registry.client(session, TrustPolicy::anyone()).await?;
                let client = client.for_showing();
                Ok(if attached {
                    client.summarize_with_attached(reference, world).await?
                } else {
                    (client.summarize(reference, world).await?, None)
                })
            };
            let (summarized, attached) = session.in_usable_cache(summarize).await?;
            return Ok(Shown {
                summary: summarized.summary.clone(),
                size: Some(summarized.size),
                manifest: Some(summarized),
                attached,
            });
        }
        let trust = TrustPolicy::anyone();
        let verified = self
            .verify(&trust, Dates::ValidLater, registry, session)
            .await?;
        Ok(Shown {
            summary: verified.contents.into(),
            size: verified.size,
            manifest: None,
            attached: None,
        })
    }

    /// Warns about an archive that becomes valid later.
    pub(crate) fn warn_of_date(&self, claims: &VerifiedClaims, session: &Session) {
        if let Some(error) = claims.not_yet_valid() {
            let issuer = claims.issuer().as_str();
            session.warn(&format!(
                "{self}, which {issuer} has signed, cannot be used yet: {error}"
            ));
        }
    }

    /// Writes one verified executable to the path that `destination` returns for its target, and returns the claims that
    /// cover it. With `by_rules`, the rules of `trust` apply to a file too.
    pub(crate) async fn extract(
        &self,
        target: &RequestedTarget,
        destination: impl Fn(&Target) -> PathBuf + Clone + Send + 'static,
        trust: TrustPolicy,
        by_rules: bool,
        registry: &RegistryArgs,
        session: &Session,
    ) -> Result<VerifiedClaims> {
        match self {
            Self::Reference(reference) => {
                let client = registry.client(session, trust).await?;
                let extracted = client.extract_requested(reference, target, destination, MODE);
                Ok(extracted.await?.contents.claims)
            }
            Self::File(path) => {
                let (path, progress) = (path.clone(), Arc::clone(session.progress()));
                let (source, requested) = (Self::File(path.clone()), target.clone());
                let limits = Limits::default();
                blocking(move || {
                    let mut target = requested.usual().clone();
                    let is_restricted = by_rules || trust.restricts_files();
                    if is_restricted || !requested.is_settled() {
                        // The trust policy is checked before anything is written.
                        let claims = archive::read_claims(files::open(&path)?, &limits)
                            .map_err(|error| error.in_archive(&path))?;
                        let name = path.display().to_string();
                        let checked = if by_rules {
                            trust.check_anywhere(&claims, &name).map(drop)
                        } else {
                            trust.check_file(&claims, &name)
                        };
                        checked.map_err(client::Error::from)?;
                        target = requested.among(claims.executables()).clone();
                    }
                    let destination = destination(&target);
                    source.refuse_as_destination(&destination)?;
                    let progress = progress.as_ref();
                    let claims =
                        extract_file(&path, &target, &destination, MODE, &limits, progress);
                    Ok(claims?)
                })
                .await
            }
            Self::StandardInput => bail!(
                Failure::usage("cannot extract from standard input")
                    .hint("write the archive to a file first")
            ),
        }
    }

    /// Returns an error if `destination` is the archive itself, or the layout that it is in.
    pub(crate) fn refuse_as_destination(&self, destination: &Path) -> Result<()> {
        match self {
            Self::File(path) if is_one_file(path, destination) => bail!(
                Failure::usage(format!(
                    "the output would replace the archive {}",
                    path.display()
                ))
                .hint("name another file with --destination")
            ),
            Self::Reference(reference) => refuse_inputs(destination, layout_files(reference)),
            _ => Ok(()),
        }
    }

    /// Returns a name for files that are made from the archive: its file name without extensions.
    pub(crate) fn stem(&self) -> String {
        match self {
            Self::File(path) => stem(path),
            Self::Reference(reference) => reference.file_stem().to_owned(),
            Self::StandardInput => "provider".to_owned(),
        }
    }
}

/// Verifies the whole archive of a reference. `client` applies the trust policy.
async fn verify_reference(
    reference: &Reference,
    mut client: Client,
    dates: Dates,
) -> Result<VerifiedSource> {
    if dates == Dates::ValidLater {
        client = client.for_showing();
    }
    let inspected = client.inspect(reference).await?;
    let pin = client.pin(reference).await?;
    // Another process may have changed the pin after the archive was verified.
    let claims = &inspected.contents.claims;
    let pin = pin.filter(|pin| {
        let issuer = claims.issuer().as_str();
        let is_known = pin.issuer == issuer || pin.former.contains_key(issuer);
        is_known && pin.subject == claims.subject().as_str()
    });
    Ok(VerifiedSource {
        contents: inspected.contents,
        size: None,
        digest: Some(inspected.digest),
        archive: inspected.archive,
        pin,
        identity: inspected.identity,
    })
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

/// Returns standard input, for reading an archive. Returns an error if it is a terminal.
pub(crate) fn standard_input() -> Result<Stdin> {
    let input = files::standard_input("the archive")?;
    if input.is_terminal() {
        bail!(
            Failure::usage("standard input is a terminal, not an archive")
                .hint("name a file, or pipe an archive into `par`, as in `… | par push REF -`")
        );
    }
    Ok(input)
}
