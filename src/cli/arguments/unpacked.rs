//! The executables of an archive as files, for commands that read them.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result};

use crate::archive::{self, Contents, Dates, Limits, Target};
use crate::cli::files;
use crate::cli::session::Session;
use crate::cli::threads::{blocking, detached};
use crate::client::TrustPolicy;
use crate::content::{Digest, MeteredReader, Step, TemporaryDirectory};

use super::registry::RegistryArgs;
use super::source::{STANDARD_INPUT, Source, standard_input};

/// A verified archive, and its executables in files. Dropping it removes the files.
pub(crate) struct Unpacked {
    pub(crate) contents: Contents,
    /// The executables.
    pub(crate) files: BTreeMap<Target, PathBuf>,
    /// The digest of the manifest. `None` for a file and for standard input.
    pub(crate) digest: Option<Digest>,
    _directory: TemporaryDirectory,
}

impl Unpacked {
    /// Verifies the whole archive without checking it against the trust policy, and writes its executables to a temporary directory.
    /// Of an image index, the manifest for `target` is used. The claims may become valid later.
    pub(crate) async fn new(
        source: &Source,
        target: &Target,
        registry: &RegistryArgs,
        session: &Session,
    ) -> Result<Self> {
        let directory = TemporaryDirectory::create_in(&std::env::temp_dir())
            .context("cannot make a temporary directory")?;
        let place = directory.path().to_owned();
        let mut digest = None;
        let (contents, files) = match source {
            Source::Reference(reference) => {
                let work = async |session: &Session| {
                    let client = registry.client(session, TrustPolicy::anyone()).await?;
                    let client = client.for_showing();
                    Ok(client.unpack(reference, target, &place).await?)
                };
                let (inspected, files) = session.in_usable_cache(work).await?;
                digest = Some(inspected.digest);
                (inspected.contents, files)
            }
            Source::File(path) => {
                let (path, progress) = (path.clone(), Arc::clone(session.progress()));
                blocking(move || {
                    let file = files::open(&path)?;
                    let size = file.metadata().map_or(0, |file| file.len());
                    let meter = progress.begin(Step::Verifying, size);
                    unpack(MeteredReader::new(file, meter), &place, &path)
                })
                .await?
            }
            Source::StandardInput => {
                let meter = session.progress().begin(Step::Verifying, 0);
                let input = MeteredReader::new(standard_input()?, meter);
                detached(move || unpack(input, &place, Path::new(STANDARD_INPUT))).await?
            }
        };
        Ok(Self {
            contents,
            files,
            digest,
            _directory: directory,
        })
    }
}

fn unpack(
    input: impl Read,
    directory: &Path,
    name: &Path,
) -> Result<(Contents, BTreeMap<Target, PathBuf>)> {
    let unpacked = archive::extract_chosen(
        input,
        directory,
        |_| true,
        &Limits::default(),
        Dates::ValidLater,
    );
    Ok(unpacked.map_err(|error| error.in_archive(name))?)
}
