//! Verifying an archive in one pass.

use std::collections::BTreeMap;
use std::io::{self, Read, Seek, Write};
use std::path::Path;

use crate::archive::claims::{Dates, UnverifiedClaims, VerifiedClaims};
use crate::archive::compression::Compression;
use crate::archive::entry_names::{CLAIMS_ENTRY, WORLD_ENTRY};
use crate::archive::error::Error;
use crate::archive::executable::{Collector, ExecutableFacts};
use crate::archive::format::entries::{Entries, Role, check_entry, read_bounded};
use crate::archive::format::gzip::{Failure, Tar, TarSource};
use crate::archive::format::tar_stream::{BLOCK, TarStream, structure_error, tar_error};
use crate::archive::hashing::digest_of;
use crate::archive::limits::Limits;
use crate::archive::target::Target;
use crate::content::Digest;

/// The file that marks a tar as an OCI image layout (OCI image specification, "Image Layout"). The reader of archives
/// takes it for an executable of this target.
const LAYOUT: &str = "oci-layout";

/// The contents of a verified archive.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Contents {
    /// The claims.
    pub claims: VerifiedClaims,
    /// The size of every executable in the archive, in bytes.
    pub executables: BTreeMap<Target, u64>,
    /// The facts in the headers of each executable: what a host must have to start it. Executables after the 32nd one
    /// of an archive may have no facts here.
    pub facts: BTreeMap<Target, ExecutableFacts>,
    /// The targets that the claims cover, but for which the archive has no executable.
    pub absent: Vec<Target>,
    /// The WIT world, in its encoded form.
    pub world: Option<Vec<u8>>,
    /// How the archive is compressed.
    pub compression: Compression,
}

impl Contents {
    /// Checks that there is an executable for `target`.
    pub(crate) fn require(&self, target: &Target) -> Result<(), Error> {
        if self.executables.contains_key(target) {
            return Ok(());
        }
        Err(Error::no_such_target(target, &self.executables))
    }
}

/// Reads an archive to its end and verifies it: the signature, the key types, the dates, and the hash
/// of every executable and of the world. Entries that the claims do not cover are refused.
///
/// # Errors
///
/// The [`Error`] of the first check that fails.
pub fn verify(input: impl Read, limits: &Limits) -> Result<Contents, Error> {
    verify_with(input, limits, Dates::Valid)
}

/// [Verifies](verify) an archive, and applies `dates` to claims that are not valid now.
pub(crate) fn verify_with(
    mut input: impl Read,
    limits: &Limits,
    dates: Dates,
) -> Result<Contents, Error> {
    scan(&mut input, limits, dates, &mut Discard)
}

/// Reads no further than the claims and verifies them. The executables are not verified.
///
/// # Errors
///
/// The [`Error`] of the first check up to the claims that fails.
pub fn read_claims(input: impl Read, limits: &Limits) -> Result<VerifiedClaims, Error> {
    read_claims_with(input, limits, Dates::Valid)
}

/// Reads the claims as [`read_claims`] does, and applies `dates` to claims that are not valid now.
pub(crate) fn read_claims_with(
    mut input: impl Read,
    limits: &Limits,
    dates: Dates,
) -> Result<VerifiedClaims, Error> {
    let input: &mut dyn Read = &mut input;
    let failure = Failure::default();
    let mut scan = Scan::new(limits);
    let outcome = (|| {
        let mut archive =
            tar::Archive::new(TarStream::new(Tar::open(input, failure.clone())?, limits));
        scan.entries(archive.entries(), &mut Discard, |scan| scan.token.is_some())?;
        UnverifiedClaims::decode(scan.token()?)?.verify_with(dates)
    })();
    outcome.map_err(|error| failure.take().map_or(error, Error::Stream))
}

/// Receives executables while an archive is read. Their bytes are unverified until [`scan`] has returned.
pub(in crate::archive) trait Receiver {
    /// Returns the output for the bytes of the executable, and its path for errors. `None` when the executable is not
    /// wanted.
    fn begin(&mut self, target: &Target) -> Result<Option<(&mut dyn Write, &Path)>, Error>;
}

/// An executable that was hashed.
#[derive(Clone)]
pub(super) struct Hashed {
    /// The size in bytes.
    pub(super) size: u64,
    pub(super) digest: Digest,
    pub(super) facts: ExecutableFacts,
}

/// Executables that were hashed already, by their positions in the tar.
type Known = BTreeMap<u64, Hashed>;

struct Discard;

impl Receiver for Discard {
    fn begin(&mut self, _: &Target) -> Result<Option<(&mut dyn Write, &Path)>, Error> {
        Ok(None)
    }
}

/// Verifies an archive and hands its executables to `receiver`.
pub(in crate::archive) fn scan(
    input: &mut dyn Read,
    limits: &Limits,
    dates: Dates,
    receiver: &mut dyn Receiver,
) -> Result<Contents, Error> {
    let failure = Failure::default();
    let outcome = (|| {
        let tar = Tar::open(input, failure.clone())?;
        let compression = tar.compression();
        let mut archive = tar::Archive::new(TarStream::new(tar, limits));
        let mut scan = Scan::new(limits);
        scan.entries(archive.entries(), receiver, |_| false)?;
        archive.into_inner().finish(scan.end)?.finish()?;
        scan.conclude(compression, dates)
    })();
    outcome.map_err(|error| failure.take().map_or(error, Error::Stream))
}

/// Verifies the tar of a compressed archive whose executables were hashed before. `known` has their digests, and their
/// bytes are skipped.
pub(super) fn scan_known(
    tar: impl TarSource + Seek,
    limits: &Limits,
    known: Known,
    dates: Dates,
) -> Result<Contents, Error> {
    let mut archive = tar::Archive::new(TarStream::new(tar, limits));
    let mut scan = Scan::new(limits);
    scan.known = known;
    scan.entries(archive.entries_with_seek(), &mut Discard, |_| false)?;
    archive.into_inner().finish(scan.end)?;
    scan.conclude(Compression::Gzip, dates)
}

struct Scan<'l> {
    limits: &'l Limits,
    known: Known,
    entries: Entries<'l>,
    /// The position in the tar where the last entry ends, padding included.
    end: u64,
    token: Option<String>,
    world: Option<(Vec<u8>, Digest)>,
    executables: BTreeMap<Target, Hashed>,
    /// Directories with the names of targets.
    directories: Vec<Target>,
}

impl<'l> Scan<'l> {
    fn new(limits: &'l Limits) -> Self {
        Self {
            limits,
            known: Known::new(),
            entries: Entries::new(limits),
            end: 0,
            token: None,
            world: None,
            executables: BTreeMap::new(),
            directories: Vec::new(),
        }
    }

    fn entries<R: Read>(
        &mut self,
        entries: io::Result<tar::Entries<'_, R>>,
        receiver: &mut dyn Receiver,
        enough: impl Fn(&Self) -> bool,
    ) -> Result<(), Error> {
        for entry in entries.map_err(Error::DamagedTar)?.raw(true) {
            let entry = entry.map_err(|error| structure_error(error, self.end == 0))?;
            self.entry(entry, receiver)?;
            if enough(self) {
                return Ok(());
            }
        }
        self.entries.finish()
    }

    fn entry<R: Read>(
        &mut self,
        mut entry: tar::Entry<'_, R>,
        receiver: &mut dyn Receiver,
    ) -> Result<(), Error> {
        let size = entry.size();
        let begin = entry.raw_file_position();
        self.end = begin.saturating_add(size.div_ceil(BLOCK).saturating_mul(BLOCK));
        match self.entries.role(&mut entry)? {
            Some(Role::Claims) => self.claims(size, &mut entry),
            Some(Role::World) => self.world(size, &mut entry),
            Some(Role::Executable(target)) => {
                let known = self.known.remove(&begin).filter(|known| known.size == size);
                self.executable(target, size, known, &mut entry, receiver)
            }
            Some(Role::Directory(target)) => {
                self.directories.push(target);
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn claims(&mut self, size: u64, content: &mut impl Read) -> Result<(), Error> {
        check_entry(CLAIMS_ENTRY, size, self.limits.claims)?;
        let bytes = read_bounded(content, "bytes of claims", self.limits.claims)?;
        let token = String::from_utf8(bytes)
            .map_err(|_| Error::malformed_claims("the token is not text"))?;
        match self.token.replace(token) {
            None => Ok(()),
            Some(_) => Err(Error::DuplicateEntry(CLAIMS_ENTRY.to_owned())),
        }
    }

    fn world(&mut self, size: u64, content: &mut impl Read) -> Result<(), Error> {
        check_entry(WORLD_ENTRY, size, self.limits.world)?;
        let world = read_bounded(content, "bytes of WIT world", self.limits.world)?;
        let digest = Digest::of(&world);
        match self.world.replace((world, digest)) {
            None => Ok(()),
            Some(_) => Err(Error::DuplicateEntry(WORLD_ENTRY.to_owned())),
        }
    }

    fn executable(
        &mut self,
        target: Target,
        size: u64,
        known: Option<Hashed>,
        content: &mut impl Read,
        receiver: &mut dyn Receiver,
    ) -> Result<(), Error> {
        if self.executables.contains_key(&target) {
            return Err(Error::DuplicateEntry(target.to_string()));
        }
        check_entry(target.as_str(), size, self.limits.executable)?;
        let hashed = match known {
            Some(hashed) => hashed,
            None => {
                let mut output = receiver.begin(&target)?;
                let mut collector = Collector::default();
                let digest = digest_of(&mut |buffer| {
                    let count = content.read(buffer).map_err(tar_error)?;
                    let bytes = buffer.get(..count).unwrap_or_default();
                    collector.add(bytes);
                    if let Some((output, path)) = &mut output {
                        let written = output.write_all(bytes);
                        written.map_err(|source| Error::write(path, source))?;
                    }
                    Ok(count)
                })?;
                Hashed {
                    size,
                    digest,
                    facts: collector.finish(),
                }
            }
        };
        self.executables.insert(target, hashed);
        Ok(())
    }

    /// Returns the token of the claims.
    fn token(&self) -> Result<&str, Error> {
        let is_layout = || self.executables.keys().any(|key| key.as_str() == LAYOUT);
        match &self.token {
            Some(token) => Ok(token),
            None if is_layout() => Err(Error::ImageLayout),
            None => Err(Error::NoClaims),
        }
    }

    /// Verifies the claims, and compares the hashes of all entries with them.
    fn conclude(self, compression: Compression, dates: Dates) -> Result<Contents, Error> {
        let claims = UnverifiedClaims::decode(self.token()?)?.verify_with(dates)?;
        let compare = |entry: &str, expected: Option<&Digest>, actual: &Digest| match expected {
            None => Err(Error::Unclaimed(entry.to_owned())),
            Some(expected) if expected != actual => Err(Error::HashMismatch {
                entry: entry.to_owned(),
                expected: expected.clone(),
                actual: actual.clone(),
            }),
            Some(_) => Ok(()),
        };
        for (target, hashed) in &self.executables {
            let signed = claims.executables().get(target);
            compare(target.as_str(), signed, &hashed.digest)?;
        }
        let mut directories = self.directories.iter();
        if let Some(target) = directories.find(|target| claims.executables().contains_key(target)) {
            return Err(Error::ForbiddenName {
                name: target.to_string(),
                why: "it is a directory, and hosts read it as an executable",
            });
        }
        match &self.world {
            Some((_, digest)) => compare(WORLD_ENTRY, claims.world(), digest)?,
            None if claims.world().is_some() => return Err(Error::WorldMissing),
            None => {}
        }
        if self.executables.is_empty() {
            return Err(Error::NoExecutables);
        }
        let mut absent: Vec<_> = claims.executables().keys().cloned().collect();
        absent.retain(|target| !self.executables.contains_key(target));
        let sizes = self.executables.iter();
        let sizes = sizes.map(|(target, hashed)| (target.clone(), hashed.size));
        Ok(Contents {
            absent,
            claims,
            executables: sizes.collect(),
            facts: (self.executables.into_iter())
                .map(|(target, hashed)| (target, hashed.facts))
                .collect(),
            world: self.world.map(|(world, _)| world),
            compression,
        })
    }
}
