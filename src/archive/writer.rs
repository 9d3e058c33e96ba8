//! Packing an archive.

use std::collections::BTreeMap;
use std::io::{self, BufWriter, Seek, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use crate::content::{AtomicFile, Digest, Meter};
use bytes::Bytes;

use super::claims::{Metadata, VerifiedClaims};
use super::error::Error;
use super::extract::write_error;
use super::fingerprints::{Fingerprint, fingerprints};
use super::input::Input;
use super::limits::Limits;
use super::signer::Signer;
use super::tar_writer::TarWriter;
use super::target::Target;
use super::{CLAIMS_ENTRY, WORLD_ENTRY};

/// Whether an archive is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Compression {
    /// A plain tar.
    #[default]
    None,
    /// One gzip member.
    Gzip,
}

impl Compression {
    /// The extension that file names of such archives carry.
    #[must_use]
    pub fn extension(self) -> &'static str {
        match self {
            Self::None => "par",
            Self::Gzip => "par.gz",
        }
    }
}

/// Packs a provider archive: claims first, then the world, then the executables in the order of their
/// targets, as `provider-archive` names them.
#[derive(Debug, Clone, Default)]
pub struct ArchiveWriter {
    metadata: Metadata,
    executables: BTreeMap<Target, Input>,
    world: Option<Bytes>,
}

impl ArchiveWriter {
    /// A writer of an archive that holds nothing yet.
    #[must_use]
    pub fn new(metadata: Metadata) -> Self {
        Self {
            metadata,
            ..Self::default()
        }
    }

    /// Adds the executable for `target`, and gives back the one that stood there.
    pub fn executable(&mut self, target: Target, input: Input) -> Option<Input> {
        self.executables.insert(target, input)
    }

    /// Takes the executable for `target` away again.
    ///
    /// # Errors
    ///
    /// [`Error::NoSuchTarget`] with the targets there are.
    pub fn remove(&mut self, target: &Target) -> Result<Input, Error> {
        self.executables
            .remove(target)
            .ok_or_else(|| Error::NoSuchTarget {
                target: target.clone(),
                available: self.executables.keys().cloned().collect(),
            })
    }

    /// Whether there is no executable.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.executables.is_empty()
    }

    /// What the archive will say about the provider.
    #[must_use]
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// The same, to be changed.
    pub fn metadata_mut(&mut self) -> &mut Metadata {
        &mut self.metadata
    }

    /// Sets the WIT world, in its encoded form.
    pub fn world(&mut self, world: impl Into<Bytes>) {
        self.world = Some(world.into());
    }

    /// How many bytes [`write`](Self::write) will report to its meter: those of the executables.
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
    /// The archive may become valid later; one that has expired is not written.
    ///
    /// Every input is read twice, to be packed and to be hashed; once more when it is a file that was
    /// written only seconds ago.
    ///
    /// What readers refuse by the default [`Limits`] is not written either.
    ///
    /// # Errors
    ///
    /// [`Error::NeverValid`], [`Error::Read`], [`Error::Write`], [`Error::InputChanged`],
    /// [`Error::TooLarge`], or those of signing.
    pub fn write(
        &self,
        destination: &Path,
        signer: &Signer,
        compression: Compression,
        meter: &dyn Meter,
    ) -> Result<VerifiedClaims, Error> {
        self.metadata.check_dates()?;
        let failed = |source| write_error(destination, source);
        let mut file = AtomicFile::create(destination).map_err(failed)?;
        let limits = Limits::default();
        let claims = self.write_to(&mut file, destination, signer, compression, &limits, meter)?;
        file.commit().map_err(failed)?;
        Ok(claims)
    }

    /// Writes the archive that is to be at `destination`.
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
                // A meter that stops the work, or the disk.
                Error::Stream(source) => write_error(destination, source),
                error @ Error::TooLarge { .. } => error.in_archive(destination),
                other => other,
            })
    }

    /// Refuses what readers would refuse.
    fn keep_to(
        &self,
        limits: &Limits,
        token: usize,
        executables: impl Iterator<Item = u64>,
    ) -> Result<(), Error> {
        let world = self.world.as_ref().map_or(0, |world| world.len() as u64);
        let entries = 1 + usize::from(self.world.is_some()) + self.executables.len();
        let mut total = token as u64 + world;
        let mut largest = 0;
        for size in executables {
            total = total.saturating_add(size);
            largest = largest.max(size);
        }
        for (count, limit, what) in [
            (entries as u64, limits.entries as u64, "entries"),
            (token as u64, limits.claims, "bytes of claims"),
            (world, limits.world, "bytes of WIT world"),
            (largest, limits.executable, "bytes in an executable"),
            (total, limits.total, "bytes when inflated"),
        ] {
            if count > limit {
                return Err(Error::TooLarge { what, limit });
            }
        }
        Ok(())
    }

    /// Writes the tar in one pass: the claims, which come first, are known when everything else has
    /// been read. Their length is known before, and room is left for them.
    fn pack(
        &self,
        output: impl Write + Seek,
        signer: &Signer,
        compression: Compression,
        limits: &Limits,
        meter: &dyn Meter,
    ) -> Result<VerifiedClaims, Error> {
        let draft = signer.draft(&self.metadata, self.world.as_deref().map(Digest::of));
        // Every digest has the same length, and so has what is signed over it.
        let any = Digest::of(&[]);
        let digests = self
            .executables
            .keys()
            .map(|target| (target.clone(), any.clone()));
        let length = draft.sign(&digests.collect())?.token().len();

        let output = BufWriter::with_capacity(256 * 1024, output);
        let executables: Vec<_> = self
            .executables
            .iter()
            .map(|(target, input)| Ok((format!("{target}.bin"), target, input.open()?)))
            .collect::<Result<_, Error>>()?;
        let sizes = executables.iter().map(|(_, _, input)| input.size());
        self.keep_to(limits, length, sizes)?;
        let mut tar = match compression {
            Compression::None => TarWriter::plain(output),
            Compression::Gzip => {
                let claims = (CLAIMS_ENTRY, length as u64);
                let world = self.world.as_ref();
                let world = world.map(|world| (WORLD_ENTRY, world.len() as u64));
                let executables = executables.iter();
                let executables = executables.map(|(name, _, input)| (name.as_str(), input.size()));
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
        let (packed, fingerprints) = self.beside_hashing(|| {
            let mut packed = Vec::with_capacity(executables.len());
            for (name, _, input) in executables {
                tar.begin(&name, input.size(), 0o755)?;
                packed.push(input.copy(&mut tar, meter)?);
                tar.end()?;
            }
            Ok(packed)
        })?;

        for (input, fingerprint) in packed.iter().zip(&fingerprints) {
            input.check(fingerprint, meter)?;
        }
        let digests = fingerprints
            .into_iter()
            .map(|fingerprint| fingerprint.digest);
        let digests = self.executables.keys().cloned().zip(digests);
        let claims = draft.sign(&digests.collect())?;
        let mut output = tar.finish(claims.token().as_bytes(), limits)?;
        output.flush().map_err(Error::Stream)?;
        Ok(claims)
    }

    /// Does `packing` while the executables are hashed on a thread of their own.
    fn beside_hashing<P>(
        &self,
        packing: impl FnOnce() -> Result<P, Error>,
    ) -> Result<(P, Vec<Fingerprint>), Error> {
        let inputs: Vec<_> = self.executables.values().collect();
        let stop = AtomicBool::new(false);
        thread::scope(|scope| {
            let hashing = thread::Builder::new()
                .name("par-hash".to_owned())
                .spawn_scoped(scope, || fingerprints(&inputs, &stop))
                .map_err(Error::Stream)?;
            let packed = packing();
            // Who has failed needs no digests.
            stop.store(packed.is_err(), Ordering::Relaxed);
            let failed = || Error::Stream(io::Error::other("the hashing thread failed"));
            let hashed = hashing.join().map_err(|_| failed())?;
            Ok((packed?, hashed?.ok_or_else(failed)?))
        })
    }
}
