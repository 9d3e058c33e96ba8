//! What is mirrored: a deployment, a lock file, one reference, or an image layout that another mirror was written to.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::cli::files::is_standard_input;
use crate::cli::output::Failure;
use crate::cli::threads::blocking;
use crate::client::{Error, Lock, MirrorSource};
use crate::oci::{LayoutReference, Reference};

use super::deployment::{Deployment, FILE};
use super::registry::RegistryArgs;

/// What is mirrored.
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
        let path = PathBuf::from(argument);
        if let Some(layout) = layout_at(path.clone()).await? {
            return Ok(Self::Layout(layout));
        }
        if is_standard_input(&path) || is_file(path.clone()).await? {
            return Self::read_file(path).await;
        }
        let text = argument.to_string_lossy();
        match text.parse() {
            Ok(Reference::Layout(layout))
                if layout.tag().is_some() || layout.digest().is_some() =>
            {
                let message = format!("{text} names one manifest, and all of a layout is mirrored");
                let hint = "leave out the name; or copy the manifest with `par copy`";
                bail!(Failure::usage(message).hint(hint))
            }
            Ok(Reference::Layout(layout)) => Ok(Self::Layout(layout)),
            Ok(reference) => Ok(Self::Reference(reference)),
            // A word without a registry is more likely the name of a file.
            Err(_) => Self::read_file(path).await,
        }
    }

    async fn read_file(path: PathBuf) -> Result<Self> {
        if let Some(deployment) = Deployment::read_unless_lock(path.clone()).await? {
            return Ok(Self::Deployment(deployment));
        }
        if is_standard_input(&path) {
            let message = "standard input is a lock file, which is read by its path";
            bail!(Failure::usage(message).hint("give the path of the lock file"));
        }
        let lock = blocking(move || Ok(Lock::read(&path).map_err(Error::from)?));
        Ok(Self::Lock(lock.await?))
    }

    /// Returns the references of the list. Those in a layout are not known here. With `selecting`, references without a
    /// tag are accepted. `warn` is told what is left out.
    pub(crate) fn references(
        &self,
        registry: &RegistryArgs,
        selecting: bool,
        warn: impl Fn(&str),
    ) -> Vec<Selected> {
        let settle = |reference: Reference| {
            let is_repository = reference.tag().is_none() && reference.digest().is_none();
            registry.settle(reference, selecting && is_repository)
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
                            "{place}: {written} is left out: only what is in a registry can be mirrored"
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

/// Returns the image layout in the file at `path`, if the file is a tar.
async fn layout_at(path: PathBuf) -> Result<Option<LayoutReference>> {
    let name = path.to_string_lossy().into_owned();
    let is_tar = blocking(move || Ok(path.is_file() && is_tar(&path)));
    if !is_tar.await? {
        return Ok(None);
    }
    match format!("oci-archive://{name}").parse()? {
        Reference::Layout(layout) if layout.tag().is_none() => Ok(Some(layout)),
        _ => Ok(None),
    }
}

/// Returns whether the file at `path` begins as a tar does (POSIX.1-1988, "ustar").
fn is_tar(path: &Path) -> bool {
    const MAGIC: u64 = 257;
    let mut magic = [0; 5];
    let read = File::open(path).and_then(|mut file| {
        file.seek(SeekFrom::Start(MAGIC))?;
        file.read_exact(&mut magic)
    });
    read.is_ok() && magic == *b"ustar"
}

async fn is_file(path: PathBuf) -> Result<bool> {
    blocking(move || Ok(path.is_file())).await
}
