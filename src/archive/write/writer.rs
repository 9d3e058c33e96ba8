//! Packing an archive.

use std::collections::BTreeMap;
use std::io::{BufWriter, Seek, Write};
use std::path::Path;

use bytes::Bytes;

use crate::archive::claims::{Metadata, VerifiedClaims};
use crate::archive::compression::Compression;
use crate::archive::entry_names::{CLAIMS_ENTRY, WORLD_ENTRY};
use crate::archive::error::Error;
use crate::archive::format::entries::check_entry;
#[cfg(feature = "cli")]
use crate::archive::keys::{Key, KeyKind};
use crate::archive::limits::Limits;
#[cfg(feature = "cli")]
use crate::archive::target::RequestedTarget;
use crate::archive::target::Target;
use crate::content::{AtomicFile, Digest, Meter};

use super::input::{Input, Opened};
use super::signer::{Draft, Signer};
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

    /// Returns the target that `requested` means among the targets of the executables. There may be no executable for
    /// it.
    #[cfg(feature = "cli")]
    pub(crate) fn target(&self, requested: &RequestedTarget) -> Target {
        requested.among(&self.executables).clone()
    }

    /// Returns whether there is no executable.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.executables.is_empty()
    }

    /// Returns the metadata that the archive will have.
    #[must_use]
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// Returns the metadata that the archive will have, so that it can be changed.
    pub fn metadata_mut(&mut self) -> &mut Metadata {
        &mut self.metadata
    }

    /// Sets the WIT world, in its encoded form.
    pub fn world(&mut self, world: impl Into<Bytes>) {
        self.world = Some(world.into());
    }

    /// Returns how many bytes [`write`](Self::write) reports to its meter: the sum of the sizes of the executables.
    ///
    /// # Errors
    ///
    /// [`Error::Read`] when an input cannot be opened.
    pub fn total(&self) -> Result<u64, Error> {
        self.executables
            .values()
            .try_fold(0, |sum, input| Ok(sum + input.open()?.size()))
    }

    /// Signs the claims and writes the archive to `destination`. The file appears complete or not at all. The archive
    /// may become valid later. An archive that has expired is not written.
    ///
    /// Every input is read once. A file that was written only seconds before is read twice, to be sure that it did not
    /// change.
    ///
    /// An archive that readers would refuse by the default [`Limits`] is not written. An archive without executables is
    /// written, as the `provider-archive` crate does, although readers refuse it.
    ///
    /// # Errors
    ///
    /// [`Error::NeverValid`], [`Error::Read`], [`Error::Write`], [`Error::InputChanged`],
    /// [`Error::TooLarge`], [`Error::EntryTooLarge`], [`Error::Thread`], or those of signing.
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

    /// Makes every check of [`write`](Self::write) that needs neither the keys nor the contents of the inputs, so that a
    /// caller can generate keys afterwards. How well the executables compress is known only when they are compressed.
    #[cfg(feature = "cli")]
    pub(crate) fn check(&self, destination: &Path) -> Result<(), Error> {
        self.metadata.check_dates()?;
        // The length of the token does not depend on the keys.
        let subject = Key::generate(KeyKind::Service).public_key().parse()?;
        let signer = Signer::new(Key::generate(KeyKind::Account), subject)?;
        let sizes = self.executables.values();
        let sizes = sizes.map(|input| Ok(input.open()?.size()));
        let sizes = sizes.collect::<Result<Vec<_>, Error>>()?;
        let entries = self
            .token_length(&self.draft(&signer))
            .map(|length| self.entries(length, sizes));
        entries
            .and_then(|entries| check_limits(&entries, &Limits::default()))
            .map_err(|error| error.in_archive(destination))
    }

    /// Writes the archive to `output`, a file that will get the path `destination`.
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
                error @ (Error::TooLarge { .. } | Error::EntryTooLarge { .. }) => {
                    error.in_archive(destination)
                }
                other => other,
            })
    }

    /// Writes the tar in one pass. The claims come first in the file, but are known only after all inputs have been
    /// read. Their length is known before, so the writer leaves room for them.
    fn pack(
        &self,
        output: impl Write + Seek,
        signer: &Signer,
        compression: Compression,
        limits: &Limits,
        meter: &dyn Meter,
    ) -> Result<VerifiedClaims, Error> {
        let draft = self.draft(signer);
        let length = self.token_length(&draft)?;
        let targets = || self.executables.keys().cloned();
        let output = BufWriter::with_capacity(256 * 1024, output);
        let inputs = self.executables.values().map(Input::open);
        let inputs = inputs.collect::<Result<Vec<_>, Error>>()?;
        let entries = self.entries(length, inputs.iter().map(Opened::size));
        check_limits(&entries, limits)?;
        let mut tar = match compression {
            Compression::None => TarWriter::plain(output),
            Compression::Gzip => TarWriter::gzip(output, &entries).map_err(Error::Stream)?,
        };
        tar.begin(CLAIMS_ENTRY, length as u64, 0o644)?;
        tar.reserve(length)?;
        tar.end()?;
        if let Some(world) = &self.world {
            tar.begin(WORLD_ENTRY, world.len() as u64, 0o644)?;
            tar.write_all(world).map_err(Error::Stream)?;
            tar.end()?;
        }
        let mut packed = Vec::with_capacity(inputs.len());
        for (target, input) in targets().zip(inputs) {
            tar.begin(&format!("{target}.bin"), input.size(), 0o755)?;
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

    fn draft<'a>(&self, signer: &'a Signer) -> Draft<'a> {
        signer.draft(&self.metadata, self.world.as_deref().map(Digest::of))
    }

    /// Returns the length of the token in bytes. All digests have the same length, so all tokens for these targets have
    /// the same length.
    fn token_length(&self, draft: &Draft<'_>) -> Result<usize, Error> {
        let any = Digest::of(&[]);
        let targets = self.executables.keys().cloned();
        let digests = targets.map(|target| (target, any.clone()));
        Ok(draft.sign(&digests.collect())?.token().len())
    }

    /// Returns the name and the size of each entry, for a token of this length and executables of these sizes.
    fn entries(&self, token: usize, sizes: impl IntoIterator<Item = u64>) -> Vec<(String, u64)> {
        let mut entries = vec![(CLAIMS_ENTRY.to_owned(), token as u64)];
        let world = self.world.iter();
        entries.extend(world.map(|world| (WORLD_ENTRY.to_owned(), world.len() as u64)));
        let names = self
            .executables
            .keys()
            .map(|target| format!("{target}.bin"));
        entries.extend(names.zip(sizes));
        entries
    }
}

/// Refuses entries that exceed the limits, because readers would refuse them.
fn check_limits(entries: &[(String, u64)], limits: &Limits) -> Result<(), Error> {
    let check = |count, limit, what| {
        if count > limit {
            return Err(Error::TooLarge { what, limit });
        }
        Ok(())
    };
    check(entries.len() as u64, limits.entries as u64, "entries")?;
    for (name, size) in entries {
        check(name.len() as u64, limits.name as u64, "bytes in a name")?;
        match name.as_str() {
            CLAIMS_ENTRY => check_entry(name, *size, limits.claims)?,
            WORLD_ENTRY => check_entry(name, *size, limits.world)?,
            _ => check_entry(name, *size, limits.executable)?,
        }
    }
    let size = tar_size(entries.iter().map(|(_, size)| *size));
    check(size, limits.total, "bytes when inflated")
}

#[cfg(test)]
#[path = "tests/writer.rs"]
mod tests;
