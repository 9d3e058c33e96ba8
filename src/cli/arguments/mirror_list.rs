//! The list of what to mirror: a deployment, a lock file, one reference, or an image layout that holds a mirror.

use std::ffi::OsStr;
use std::io::{Read, Seek};
use std::ops::Range;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::archive::{Dates, Limits, read_claims_with};
use crate::cli::files::is_standard_input;
use crate::cli::output::{Failure, path_text};
use crate::cli::threads::blocking;
use crate::client::{Error, Lock, MirrorSource};
use crate::content::open_regular;
use crate::oci::{LayoutReference, ParseReferenceError, Reference};

use super::deployment::{Deployment, FILE};
use super::path::{explicit_path, neither_file_nor_reference};
use super::registry::RegistryArgs;

/// The bytes of a tar that are `ustar` (POSIX.1-1988).
const TAR: Range<usize> = 257..262;
/// The first bytes of a file in gzip (RFC 1952).
const GZIP: &[u8] = b"\x1f\x8b";
/// How many bytes are read to find the claims of an archive.
const CLAIMS: u64 = 64 * 1024;

/// The list of what to mirror, in one of its forms.
pub(crate) enum MirrorList {
    Deployment(Deployment),
    Lock(Lock),
    Reference(Reference),
    Layout(LayoutReference),
}

/// A reference in a list.
pub(crate) struct Selected {
    /// The reference as it is written.
    pub(crate) written: String,
    /// The reference, or why it cannot be used. Without a tag and a digest, tags of its repository are selected.
    pub(crate) source: Result<MirrorSource>,
}

impl MirrorList {
    /// Reads what `argument` names: an image layout, a file, `-` for standard input, or else a reference.
    pub(crate) async fn read(argument: &OsStr) -> Result<Self> {
        if argument.is_empty() {
            let hint = "name a file, a reference or an image layout, or `-` for standard input";
            bail!(Failure::usage("LIST is empty").hint(hint));
        }
        let path = PathBuf::from(argument);
        if let Some(layout) = layout_at(path.clone()).await? {
            return Ok(Self::Layout(layout));
        }
        if is_standard_input(&path) || is_file(path.clone()).await? {
            return Self::read_file(path).await;
        }
        let text = argument.to_string_lossy();
        match text.parse::<Reference>() {
            Ok(Reference::Layout(layout))
                if layout.tag().is_some() || layout.digest().is_some() =>
            {
                let message =
                    format!("{text} names one manifest, but this command mirrors a whole layout");
                let hint = "leave out the tag and the digest, or copy the manifest with `par copy`";
                bail!(Failure::usage(message).hint(hint))
            }
            Ok(Reference::Layout(layout)) => Ok(Self::Layout(layout)),
            Ok(reference) => Ok(Self::Reference(reference)),
            Err(error) => {
                // A text without a registry, a tag and a digest, such as `deploy/list.txt`, is probably the name of a file.
                let is_path = matches!(error, ParseReferenceError::RegistryMissing { .. })
                    && !text.contains([':', '@']);
                let is_path = is_path || explicit_path(argument).is_some();
                // The error of opening a missing file, a directory or a device explains the problem.
                if is_path || exists(path.clone()).await? {
                    return Self::read_file(path).await;
                }
                Err(neither_file_nor_reference(&text, error))
            }
        }
    }

    async fn read_file(path: PathBuf) -> Result<Self> {
        if let Some(deployment) = Deployment::read_unless_lock(path.clone()).await? {
            return Ok(Self::Deployment(deployment));
        }
        if is_standard_input(&path) {
            let message = "a lock file cannot be read from standard input";
            bail!(Failure::usage(message).hint("give the path of the lock file"));
        }
        let lock = blocking(move || Ok(Lock::read(&path).map_err(Error::from)?));
        Ok(Self::Lock(lock.await?))
    }

    /// Returns the references of the list, or none for an image layout. With `selecting`, references without a tag are
    /// accepted. Calls `warn` for each reference that is left out.
    pub(crate) fn references(
        &self,
        registry: &RegistryArgs,
        selecting: bool,
        warn: impl Fn(&str),
    ) -> Vec<Selected> {
        let settle = |reference: Reference| {
            let is_repository = reference.tag().is_none() && reference.digest().is_none();
            let hint = "name a tag such as `:1.0.0` or a digest, select tags with --tags or --newest, or give --allow-latest";
            registry.settle_with_hint(reference, selecting && is_repository, hint)
        };
        match self {
            Self::Layout(_) => Vec::new(),
            Self::Lock(lock) => lock
                .iter()
                .map(|locked| Selected {
                    written: locked.reference.to_string(),
                    source: Ok(MirrorSource::new(locked.reference.clone()).provider(true)),
                })
                .collect(),
            Self::Reference(reference) => vec![Selected {
                written: reference.to_string(),
                source: settle(reference.clone()).map(MirrorSource::new),
            }],
            Self::Deployment(deployment) => {
                let mut found = Vec::new();
                let providers = deployment
                    .images
                    .iter()
                    .map(|image| (image, !deployment.is_list));
                let components = deployment.components.iter().map(|image| (image, false));
                for (image, is_provider) in providers.chain(components) {
                    let place = || format!("{}, line {}", deployment.name, image.number);
                    let written = image.written.clone();
                    if written.starts_with(FILE) {
                        let place = place();
                        warn(&format!(
                            "{place}: {written} is left out: only artifacts in a registry can be mirrored"
                        ));
                        continue;
                    }
                    let parsed = written.parse().map_err(anyhow::Error::from);
                    let source = parsed.and_then(settle).with_context(place);
                    let source = source.map(|it| MirrorSource::new(it).provider(is_provider));
                    found.push(Selected { written, source });
                }
                found
            }
        }
    }
}

/// The kind of a file that is neither a list nor a manifest.
enum Kind {
    /// A tar, which may contain an image layout.
    Tar,
    Archive,
    Gzip,
}

impl Kind {
    /// Returns the kind of the file at `path`. `None`: it is text, or it cannot be read.
    fn of(path: &Path) -> Option<Self> {
        let mut start = [0; TAR.end];
        let mut file = open_regular(path).ok()?.0;
        let count = file.read(&mut start).ok()?;
        let start = start.get(..count)?;
        let kind = if start.starts_with(GZIP) {
            Self::Gzip
        } else if start.get(TAR) == Some(b"ustar") {
            Self::Tar
        } else {
            return None;
        };
        file.rewind().ok()?;
        // The claims are the first entry of an archive.
        let claims = read_claims_with(file.take(CLAIMS), &Limits::default(), Dates::Any);
        Some(if claims.is_ok() { Self::Archive } else { kind })
    }
}

/// Returns the image layout in the file at `path`. `None`: it is text, or there is no file.
async fn layout_at(path: PathBuf) -> Result<Option<LayoutReference>> {
    let at = path.clone();
    let kind = blocking(move || Ok(at.is_file().then(|| Kind::of(&at)).flatten())).await?;
    let name = path_text(&path);
    match kind {
        None => return Ok(None),
        Some(Kind::Archive) => {
            let message = format!("{name} is a provider archive, and not a list of what to mirror");
            bail!(Failure::usage(message).hint("push one archive with `par push`"))
        }
        Some(Kind::Gzip) => {
            let message = format!("{name} is compressed with gzip, which cannot be mirrored");
            let hint = "decompress it first, as with `gunzip`, if it is the tar of an image layout";
            bail!(Failure::usage(message).hint(hint))
        }
        Some(Kind::Tar) => {}
    }
    // A reference cannot express every name of a file. A name may also end with text that looks like a tag.
    let reference = path.to_str().map(|path| format!("oci-archive://{path}"));
    match reference.map(|reference| reference.parse()) {
        Some(Ok(Reference::Layout(layout))) if layout.path() == path => Ok(Some(layout)),
        _ => {
            let message = format!("{name} is a tar, and no reference can have its name");
            let hint = "give the file another name, such as `carried.tar`";
            bail!(Failure::usage(message).hint(hint))
        }
    }
}

async fn exists(path: PathBuf) -> Result<bool> {
    blocking(move || Ok(path.exists())).await
}

async fn is_file(path: PathBuf) -> Result<bool> {
    blocking(move || Ok(path.is_file())).await
}
