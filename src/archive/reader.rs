//! Reading an archive: one streaming pass that checks everything.

use std::collections::BTreeMap;
use std::io::{self, Read, Seek};

use crate::content::Digest;

use super::WORLD_ENTRY;
use super::claims::{UnverifiedClaims, VerifiedClaims};
use super::entries::{Entries, Role, read_bounded};
use super::error::Error;
use super::gzip::{Failure, Tar};
use super::hashing::digest_of;
use super::limits::Limits;
use super::tar_stream::{BLOCK, TarSource, TarStream, structure_error, tar_error};
use super::target::Target;

/// What a verified archive holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Contents {
    /// The claims.
    pub claims: VerifiedClaims,
    /// The size of every executable in the archive, in bytes.
    pub executables: BTreeMap<Target, u64>,
    /// Targets that the claims cover and the archive does not hold.
    pub absent: Vec<Target>,
    /// The WIT world.
    pub world: Option<Vec<u8>>,
    /// Whether the archive is compressed.
    pub compressed: bool,
}

impl Contents {
    /// Checks that there is an executable for `target`.
    ///
    /// # Errors
    ///
    /// [`Error::NoSuchTarget`] with the targets there are.
    pub fn require(&self, target: &Target) -> Result<(), Error> {
        if self.executables.contains_key(target) {
            return Ok(());
        }
        Err(Error::NoSuchTarget {
            target: target.clone(),
            available: self.executables.keys().cloned().collect(),
        })
    }
}

/// Reads an archive to its end and checks everything: signature, key types, dates, the hash of every
/// executable and of the world, and that nothing else is there.
///
/// # Errors
///
/// The [`Error`] of the first thing that is wrong.
pub fn verify(input: impl Read, limits: &Limits) -> Result<Contents, Error> {
    scan(input, limits, Dates::Checked, &mut Discard)
}

/// Reads no further than the claims and verifies them. Nothing is known of the executables then.
///
/// # Errors
///
/// The [`Error`] of the first thing that is wrong up to there.
pub fn read_claims(input: impl Read, limits: &Limits) -> Result<VerifiedClaims, Error> {
    let failure = Failure::default();
    let mut scan = Scan::new(limits);
    let outcome = (|| {
        let mut archive =
            tar::Archive::new(TarStream::new(Tar::open(input, failure.clone())?, limits));
        for entry in archive.entries().map_err(Error::DamagedTar)?.raw(true) {
            let entry = entry.map_err(|error| structure_error(error, scan.end == 0))?;
            scan.entry(entry, &mut Discard)?;
            if let Some(token) = &scan.token {
                return UnverifiedClaims::decode(token)?.verify();
            }
        }
        Err(Error::NoClaims)
    })();
    outcome.map_err(|error| stream_error(&failure, error))
}

/// Gets the executables while an archive is read. What it gets is not verified before [`scan`] has
/// returned.
pub(super) trait Receiver {
    /// An executable begins. Whether its bytes are wanted.
    fn begin(&mut self, target: &Target) -> Result<bool, Error>;
    /// More bytes of it.
    fn bytes(&mut self, bytes: &[u8]) -> Result<(), Error>;
}

/// Knows the digests of executables, by where in the tar they begin and how long they are.
type Known<'k> = &'k dyn Fn(u64, u64) -> Option<Digest>;

/// Whether claims count whose dates are not good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dates {
    /// They do not: for everybody who reads.
    Checked,
    /// They do: for the publisher, who signs new ones.
    Ignored,
}

struct Discard;

impl Receiver for Discard {
    fn begin(&mut self, _target: &Target) -> Result<bool, Error> {
        Ok(false)
    }

    fn bytes(&mut self, _bytes: &[u8]) -> Result<(), Error> {
        Ok(())
    }
}

/// The one pass over an archive that everything else is built on.
pub(super) fn scan(
    input: impl Read,
    limits: &Limits,
    dates: Dates,
    receiver: &mut dyn Receiver,
) -> Result<Contents, Error> {
    let failure = Failure::default();
    let outcome = (|| {
        let tar = Tar::open(input, failure.clone())?;
        let compressed = tar.is_compressed();
        let mut archive = tar::Archive::new(TarStream::new(tar, limits));
        let mut scan = Scan::new(limits);
        scan.entries(archive.entries(), receiver)?;
        archive.into_inner().finish(scan.end)?.finish()?;
        scan.conclude(compressed, dates)
    })();
    outcome.map_err(|error| stream_error(&failure, error))
}

/// As [`scan`], over the tar of a compressed archive that can be skipped in, because the digests of its
/// executables are `known`.
pub(super) fn scan_known(
    tar: impl TarSource + Seek,
    limits: &Limits,
    known: Known<'_>,
) -> Result<Contents, Error> {
    let mut archive = tar::Archive::new(TarStream::new(tar, limits));
    let mut scan = Scan::new(limits);
    scan.known = known;
    scan.entries(archive.entries_with_seek(), &mut Discard)?;
    archive.into_inner().finish(scan.end)?;
    scan.conclude(true, Dates::Checked)
}

/// When the stream itself failed, that is the error to report.
fn stream_error(failure: &Failure, error: Error) -> Error {
    match failure.take() {
        Some(cause) => Error::Stream(cause),
        None => error,
    }
}

/// The state of one pass.
struct Scan<'l> {
    limits: &'l Limits,
    known: Known<'l>,
    entries: Entries<'l>,
    /// Where the last entry ends, padding included.
    end: u64,
    token: Option<String>,
    world: Option<(Vec<u8>, Digest)>,
    executables: BTreeMap<Target, (u64, Digest)>,
}

impl<'l> Scan<'l> {
    fn new(limits: &'l Limits) -> Self {
        Self {
            limits,
            known: &|_, _| None,
            entries: Entries::new(limits),
            end: 0,
            token: None,
            world: None,
            executables: BTreeMap::new(),
        }
    }

    fn entries<R: Read>(
        &mut self,
        entries: io::Result<tar::Entries<'_, R>>,
        receiver: &mut dyn Receiver,
    ) -> Result<(), Error> {
        for entry in entries.map_err(Error::DamagedTar)?.raw(true) {
            let entry = entry.map_err(|error| structure_error(error, self.end == 0))?;
            self.entry(entry, receiver)?;
        }
        Ok(())
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
            Some(Role::Claims) => self.claims(&mut entry),
            Some(Role::World) => self.world(&mut entry),
            Some(Role::Executable(target)) => {
                let known = (self.known)(begin, size);
                self.executable(target, size, known, &mut entry, receiver)
            }
            None => Ok(()),
        }
    }

    fn claims(&mut self, content: &mut impl Read) -> Result<(), Error> {
        let bytes = read_bounded(content, "bytes of claims", self.limits.claims)?;
        let token = String::from_utf8(bytes)
            .map_err(|_| Error::malformed_claims("the token is not text"))?;
        match self.token.replace(token) {
            None => Ok(()),
            Some(_) => Err(Error::DuplicateEntry("claims.jwt".to_owned())),
        }
    }

    fn world(&mut self, content: &mut impl Read) -> Result<(), Error> {
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
        known: Option<Digest>,
        content: &mut impl Read,
        receiver: &mut dyn Receiver,
    ) -> Result<(), Error> {
        if self.executables.contains_key(&target) {
            return Err(Error::DuplicateEntry(target.to_string()));
        }
        if size > self.limits.executable {
            return Err(Error::TooLarge {
                what: "bytes in an executable",
                limit: self.limits.executable,
            });
        }
        let digest = match known {
            Some(digest) => digest,
            None => {
                let wanted = receiver.begin(&target)?;
                digest_of(|buffer| {
                    let count = content.read(buffer).map_err(tar_error)?;
                    if wanted {
                        receiver.bytes(buffer.get(..count).unwrap_or_default())?;
                    }
                    Ok(count)
                })?
            }
        };
        self.executables.insert(target, (size, digest));
        Ok(())
    }

    /// The end of the pass: the claims are verified, and everything is compared with them.
    fn conclude(self, compressed: bool, dates: Dates) -> Result<Contents, Error> {
        let token = self.token.ok_or(Error::NoClaims)?;
        let claims = UnverifiedClaims::decode(&token)?;
        let claims = match dates {
            Dates::Checked => claims.verify()?,
            Dates::Ignored => claims.verify_undated()?,
        };
        let compare = |entry: &str, expected: Option<&Digest>, actual: &Digest| match expected {
            None => Err(Error::Unclaimed(entry.to_owned())),
            Some(expected) if expected != actual => Err(Error::HashMismatch {
                entry: entry.to_owned(),
                expected: expected.clone(),
                actual: actual.clone(),
            }),
            Some(_) => Ok(()),
        };
        for (target, (_, digest)) in &self.executables {
            compare(target.as_str(), claims.executables().get(target), digest)?;
        }
        match &self.world {
            Some((_, digest)) => compare(WORLD_ENTRY, claims.world(), digest)?,
            None if claims.world().is_some() => return Err(Error::WorldMissing),
            None => {}
        }
        if self.executables.is_empty() {
            return Err(Error::NoExecutables);
        }
        let absent = claims
            .executables()
            .keys()
            .filter(|target| !self.executables.contains_key(target))
            .cloned()
            .collect();
        Ok(Contents {
            absent,
            claims,
            executables: self
                .executables
                .into_iter()
                .map(|(target, (size, _))| (target, size))
                .collect(),
            world: self.world.map(|(world, _)| world),
            compressed,
        })
    }
}
