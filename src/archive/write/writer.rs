//! Packing an archive.

use std::collections::BTreeMap;
use std::io::{BufWriter, Seek, Write};
use std::path::Path;

use bytes::Bytes;

use crate::archive::claims::{Metadata, VerifiedClaims};
use crate::archive::compression::Compression;
use crate::archive::entry_names::{CLAIMS_ENTRY, WORLD_ENTRY};
use crate::archive::error::Error;
use crate::archive::limits::Limits;
use crate::archive::target::Target;
use crate::content::{AtomicFile, Digest, Meter};

use super::input::{Input, Packed};
use super::signer::Signer;
use super::tar_writer::{TarWriter, tar_size};

/// Packs a provider archive: claims first, then the world, then the executables in the order of their
/// targets, under the names that `provider-archive` gives them.
#[derive(Debug, Clone, Default)]
pub struct ArchiveWriter {
    metadata: Metadata,
    executables: BTreeMap<Target, Input>,
    world: Option<Bytes>,
}

impl ArchiveWriter {
    /// Creates a writer without executables.
    #[must_use]
    pub fn new(metadata: Metadata) -> Self {
        Self {
            metadata,
            ..Self::default()
        }
    }

    /// Adds the executable for `target`, and returns the one that it replaces.
    pub fn executable(&mut self, target: Target, input: Input) -> Option<Input> {
        self.executables.insert(target, input)
    }

    /// Removes the executable for `target`, and returns it.
    ///
    /// # Errors
    ///
    /// [`Error::NoSuchTarget`] with the available targets.
    pub fn remove(&mut self, target: &Target) -> Result<Input, Error> {
        let removed = self.executables.remove(target);
        removed.ok_or_else(|| Error::no_such_target(target, &self.executables))
    }

    /// Returns whether there is no executable.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.executables.is_empty()
    }

    /// Returns what the archive will say about the provider.
    #[must_use]
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// Returns what the archive will say about the provider, to be changed.
    pub fn metadata_mut(&mut self) -> &mut Metadata {
        &mut self.metadata
    }

    /// Sets the WIT world, in its encoded form.
    pub fn world(&mut self, world: impl Into<Bytes>) {
        self.world = Some(world.into());
    }

    /// Returns how many bytes [`write`](Self::write) reports to its meter: those of the executables.
    ///
    /// # Errors
    ///
    /// [`Error::Read`] when an input cannot be opened.
    pub fn total(&self) -> Result<u64, Error> {
        self.executables
            .values()
            .try_fold(0, |sum, input| Ok(sum + input.open()?.size()))
    }

    /// Signs the claims and writes the archive to `destination`, which appears complete or not at all.
    /// The archive may become valid later. One that has expired is not written.
    ///
    /// Every input is read once. A file that was written only seconds ago is read twice, to be sure that
    /// it did not change.
    ///
    /// An archive that readers would refuse by the default [`Limits`] is not written.
    ///
    /// # Errors
    ///
    /// [`Error::NeverValid`], [`Error::Read`], [`Error::Write`], [`Error::InputChanged`],
    /// [`Error::TooLarge`], [`Error::Thread`], or those of signing.
    pub fn write(
        &self,
        destination: &Path,
        signer: &Signer,
        compression: Compression,
        meter: &dyn Meter,
    ) -> Result<VerifiedClaims, Error> {
        self.metadata.check_dates()?;
        let failed = |source| Error::write(destination, source);
        let mut file = AtomicFile::create(destination).map_err(failed)?;
        let limits = Limits::default();
        let claims = self.write_to(&mut file, destination, signer, compression, &limits, meter)?;
        file.commit().map_err(failed)?;
        Ok(claims)
    }

    /// Writes the archive to `output`, a file that is going to be at `destination`.
    pub(super) fn write_to(
        &self,
        output: impl Write + Seek,
        destination: &Path,
        signer: &Signer,
        compression: Compression,
        limits: &Limits,
        meter: &dyn Meter,
    ) -> Result<VerifiedClaims, Error> {
        self.pack(output, signer, compression, limits, meter)
            .map_err(|error| match error {
                // A meter or the disk ended the work.
                Error::Stream(source) => Error::write(destination, source),
                error @ Error::TooLarge { .. } => error.in_archive(destination),
                other => other,
            })
    }

    /// Refuses what readers would refuse.
    fn check_limits(
        &self,
        limits: &Limits,
        token: usize,
        executables: &[(String, u64)],
    ) -> Result<(), Error> {
        let token = token as u64;
        let world = self.world.as_ref().map(|world| world.len() as u64);
        let sizes = || executables.iter().map(|(_, size)| *size);
        let entries = [token].into_iter().chain(world).chain(sizes());
        let name = executables.iter().map(|(name, _)| name.len()).max();
        for (count, limit, what) in [
            (
                entries.clone().count() as u64,
                limits.entries as u64,
                "entries",
            ),
            (
                name.unwrap_or_default() as u64,
                limits.name as u64,
                "bytes in a name",
            ),
            (token, limits.claims, "bytes of claims"),
            (
                world.unwrap_or_default(),
                limits.world,
                "bytes of WIT world",
            ),
            (
                sizes().max().unwrap_or_default(),
                limits.executable,
                "bytes in an executable",
            ),
            (tar_size(entries), limits.total, "bytes when inflated"),
        ] {
            if count > limit {
                return Err(Error::TooLarge { what, limit });
            }
        }
        Ok(())
    }

    /// Writes the tar in one pass. The claims come first, but are known only when everything else has
    /// been read. Their length is known before, so that the writer can leave room for them.
    fn pack(
        &self,
        output: impl Write + Seek,
        signer: &Signer,
        compression: Compression,
        limits: &Limits,
        meter: &dyn Meter,
    ) -> Result<VerifiedClaims, Error> {
        let draft = signer.draft(&self.metadata, self.world.as_deref().map(Digest::of));
        // Every digest has the same length, and so have all tokens over these targets.
        let any = Digest::of(&[]);
        let targets = || self.executables.keys().cloned();
        let digests = targets().map(|target| (target, any.clone()));
        let length = draft.sign(&digests.collect())?.token().len();

        let output = BufWriter::with_capacity(256 * 1024, output);
        let inputs = self.executables.values().map(Input::open);
        let inputs = inputs.collect::<Result<Vec<_>, Error>>()?;
        let executables: Vec<_> = targets()
            .zip(&inputs)
            .map(|(target, input)| (format!("{target}.bin"), input.size()))
            .collect();
        self.check_limits(limits, length, &executables)?;
        let mut tar = match compression {
            Compression::None => TarWriter::plain(output),
            Compression::Gzip => {
                let claims = (CLAIMS_ENTRY, length as u64);
                let world = self.world.as_ref();
                let world = world.map(|world| (WORLD_ENTRY, world.len() as u64));
                let executables = executables.iter();
                let executables = executables.map(|(name, size)| (name.as_str(), *size));
                let entries = [claims].into_iter().chain(world).chain(executables);
                TarWriter::gzip(output, entries).map_err(Error::Stream)?
            }
        };
        tar.begin(CLAIMS_ENTRY, length as u64, 0o644)?;
        tar.reserve(length)?;
        tar.end()?;
        if let Some(world) = &self.world {
            tar.begin(WORLD_ENTRY, world.len() as u64, 0o644)?;
            tar.write_all(world).map_err(Error::Stream)?;
            tar.end()?;
        }
        let mut packed: Vec<Packed<'_>> = Vec::with_capacity(executables.len());
        for ((name, size), input) in executables.iter().zip(inputs) {
            tar.begin(name, *size, 0o755)?;
            packed.push(input.copy(&mut tar, |count| meter.advance(count))?);
            tar.end()?;
        }

        let digests = targets()
            .zip(packed)
            .map(|(target, packed)| Ok((target, packed.unchanged(meter)?)));
        let claims = draft.sign(&digests.collect::<Result<_, Error>>()?)?;
        let mut output = tar.finish(claims.token().as_bytes(), limits)?;
        output.flush().map_err(Error::Stream)?;
        Ok(claims)
    }
}

#[cfg(test)]
#[path = "tests/writer.rs"]
mod tests;
