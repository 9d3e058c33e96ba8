//! Reading an archive: one streaming pass that checks everything.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::path::Path;

use tar::{EntryType, Header};

use crate::content::{Algorithm, Digest, Hasher};

use super::WORLD_ENTRY;
use super::claims::{UnverifiedClaims, VerifiedClaims, hash_key};
use super::error::Error;
use super::gzip::{Failure, Tar};
use super::limits::Limits;
use super::pax;
use super::target::Target;

const BLOCK: u64 = 512;

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
    scan(input, limits, &mut Discard)
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
            tar::Archive::new(Bounded::new(Tar::open(input, failure.clone())?, limits));
        for entry in archive.entries().map_err(Error::DamagedTar)?.raw(true) {
            let entry = entry.map_err(|error| structure_error(error, scan.entries))?;
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
    receiver: &mut dyn Receiver,
) -> Result<Contents, Error> {
    let failure = Failure::default();
    let outcome = (|| {
        let tar = Tar::open(input, failure.clone())?;
        let compressed = tar.is_compressed();
        let mut archive = tar::Archive::new(Bounded::new(tar, limits));
        let mut scan = Scan::new(limits);
        for entry in archive.entries().map_err(Error::DamagedTar)?.raw(true) {
            let entry = entry.map_err(|error| structure_error(error, scan.entries))?;
            scan.entry(entry, receiver)?;
        }
        let mut rest = archive.into_inner();
        rest.expect_end(scan.end)?;
        rest.inner.finish()?;
        scan.conclude(compressed)
    })();
    outcome.map_err(|error| stream_error(&failure, error))
}

/// When the stream itself failed, that is the error to report.
fn stream_error(failure: &Failure, error: Error) -> Error {
    match failure.take() {
        Some(cause) => Error::Stream(cause),
        None => error,
    }
}

/// The same behind so many entries.
fn structure_error(error: io::Error, entries: usize) -> Error {
    match tar_error(error) {
        Error::Truncated(_) => Error::Truncated("the tar"),
        // The checksum is no number: this is no header, and never was one.
        Error::DamagedTar(error)
            if entries == 0 && error.to_string().starts_with("numeric field") =>
        {
            Error::NotAnArchive("it does not begin with a tar header")
        }
        other => other,
    }
}

/// The tar reader reports damage of the gzip data and of the tar alike as an input error.
fn tar_error(error: io::Error) -> Error {
    if let Some(too_large) = error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<TotalExceeded>())
    {
        return Error::TooLarge {
            what: "bytes when inflated",
            limit: too_large.0,
        };
    }
    match error.kind() {
        io::ErrorKind::UnexpectedEof => Error::Truncated("an entry"),
        io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => Error::DamagedGzip(error),
        kind => {
            // What follows the colon is bytes of the archive, whoever wrote them.
            let text = error.to_string();
            let reason = text.split(':').next().unwrap_or_default();
            Error::DamagedTar(io::Error::new(kind, reason.to_owned()))
        }
    }
}

/// The state of one pass.
struct Scan<'l> {
    limits: &'l Limits,
    entries: usize,
    /// Where the last entry ends, padding included.
    end: u64,
    /// The name that an extension header gives to the next entry.
    long_name: Option<Vec<u8>>,
    token: Option<String>,
    world: Option<(Vec<u8>, Digest)>,
    executables: BTreeMap<Target, (u64, Digest)>,
}

impl<'l> Scan<'l> {
    fn new(limits: &'l Limits) -> Self {
        Self {
            limits,
            entries: 0,
            end: 0,
            long_name: None,
            token: None,
            world: None,
            executables: BTreeMap::new(),
        }
    }

    fn entry<R: Read>(
        &mut self,
        mut entry: tar::Entry<'_, R>,
        receiver: &mut dyn Receiver,
    ) -> Result<(), Error> {
        self.entries += 1;
        if self.entries > self.limits.entries {
            return Err(Error::TooLarge {
                what: "entries",
                limit: self.limits.entries as u64,
            });
        }
        let size = entry.size();
        self.end = entry
            .raw_file_position()
            .saturating_add(size.div_ceil(BLOCK).saturating_mul(BLOCK));
        match entry.header().entry_type() {
            EntryType::GNULongName => {
                let mut name =
                    read_bounded(&mut entry, "bytes in a name", self.limits.name as u64)?;
                while name.last() == Some(&0) {
                    name.pop();
                }
                self.long_name = Some(name);
                Ok(())
            }
            EntryType::XHeader => {
                let bytes = read_bounded(&mut entry, "bytes in a header", self.limits.claims)?;
                self.pax_header(&bytes)
            }
            // Defaults for all entries: none that matter here.
            EntryType::XGlobalHeader => {
                read_bounded(&mut entry, "bytes in a header", self.limits.claims).map(drop)
            }
            kind => {
                let name = self.entry_name(entry.header())?;
                self.named_entry(&name, kind, size, &mut entry, receiver)
            }
        }
    }

    fn pax_header(&mut self, bytes: &[u8]) -> Result<(), Error> {
        for (key, value) in pax::records(bytes)? {
            match key {
                b"path" => self.long_name = Some(value.to_vec()),
                // Sizes that need it are above every limit; two sizes for one entry are a trap.
                b"size" => {
                    return Err(Error::TooLarge {
                        what: "bytes in an executable",
                        limit: self.limits.executable,
                    });
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn entry_name(&mut self, header: &Header) -> Result<String, Error> {
        let bytes = match self.long_name.take() {
            Some(name) => name,
            None => header.path_bytes().into_owned(),
        };
        let forbidden = |why| Error::ForbiddenName {
            name: bytes.escape_ascii().to_string(),
            why,
        };
        if bytes.len() > self.limits.name {
            return Err(Error::TooLarge {
                what: "bytes in a name",
                limit: self.limits.name as u64,
            });
        }
        let name = std::str::from_utf8(&bytes).map_err(|_| forbidden("it is not UTF-8"))?;
        if name.starts_with('/') {
            return Err(forbidden("it is absolute"));
        }
        if name.split('/').any(|part| part == "..") {
            return Err(forbidden("it leaves the archive with `..`"));
        }
        if name.chars().any(|c| c.is_control() || c == '\\') {
            return Err(forbidden("it has control characters or backslashes"));
        }
        Ok(name.to_owned())
    }

    fn named_entry(
        &mut self,
        name: &str,
        kind: EntryType,
        size: u64,
        content: &mut impl Read,
        receiver: &mut dyn Receiver,
    ) -> Result<(), Error> {
        let folder = kind.is_dir() || (kind.is_file() && name.ends_with('/') && size == 0);
        if folder {
            return Ok(());
        }
        if !(kind.is_file() || kind.is_contiguous()) {
            return Err(Error::ForbiddenEntry {
                name: name.escape_debug().to_string(),
                what: describe(kind),
            });
        }
        // As `provider-archive` does: the stem decides, whatever the suffix and the folder.
        let stem = Path::new(name).file_stem().and_then(|stem| stem.to_str());
        match stem {
            Some("claims") => self.claims(content),
            Some("world") => self.world(content),
            Some(stem) => {
                let target = Target::carried(stem).map_err(|_| Error::ForbiddenName {
                    name: name.escape_debug().to_string(),
                    why: "it does not name a target",
                })?;
                self.executable(target, size, content, receiver)
            }
            None => Err(Error::ForbiddenName {
                name: name.escape_debug().to_string(),
                why: "it does not name a file",
            }),
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
        let wanted = receiver.begin(&target)?;
        let mut hasher = Hasher::new(Algorithm::Sha256);
        let mut buffer = vec![0; 64 * 1024];
        loop {
            let count = content.read(&mut buffer).map_err(tar_error)?;
            let bytes = buffer.get(..count).unwrap_or_default();
            if bytes.is_empty() {
                break;
            }
            hasher.update(bytes);
            if wanted {
                receiver.bytes(bytes)?;
            }
        }
        self.executables.insert(target, (size, hasher.finish()));
        Ok(())
    }

    /// The end of the pass: the claims are verified, and everything is compared with them.
    fn conclude(self, compressed: bool) -> Result<Contents, Error> {
        let token = self.token.ok_or(Error::NoClaims)?;
        let claims = UnverifiedClaims::decode(&token)?.verify()?;
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
            Some((_, digest)) => compare(hash_key("world"), claims.world(), digest)?,
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

/// Reads an entry into memory, up to a bound.
fn read_bounded(content: &mut impl Read, what: &'static str, limit: u64) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    content
        .take(limit.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(tar_error)?;
    if bytes.len() as u64 > limit {
        return Err(Error::TooLarge { what, limit });
    }
    Ok(bytes)
}

fn describe(kind: EntryType) -> &'static str {
    match kind {
        EntryType::Link => "hard link",
        EntryType::Symlink => "symbolic link",
        EntryType::Char | EntryType::Block => "device",
        EntryType::Fifo => "pipe",
        EntryType::GNUSparse => "sparse file",
        _ => "special entry",
    }
}

/// Counts the bytes of the tar and stops at the bound, whatever the compressed size.
struct Bounded<R> {
    inner: Tar<R>,
    read: u64,
    limit: u64,
}

#[derive(Debug, thiserror::Error)]
#[error("more than {0} bytes when inflated")]
struct TotalExceeded(u64);

impl<R: Read> Bounded<R> {
    fn new(inner: Tar<R>, limits: &Limits) -> Self {
        Self {
            inner,
            read: 0,
            limit: limits.total,
        }
    }

    /// Behind the last entry, which ends at `end`: two blocks of zeros at least (POSIX `pax`, "ustar
    /// Interchange Format"), and nothing but zeros.
    fn expect_end(&mut self, end: u64) -> Result<(), Error> {
        // The tar reader stops at the first block of zeros.
        let mut zeros = self.read.saturating_sub(end);
        let mut buffer = vec![0; 32 * 1024];
        loop {
            let count = self.read_some(&mut buffer).map_err(tar_error)?;
            let bytes = buffer.get(..count).unwrap_or_default();
            if bytes.is_empty() {
                break;
            }
            if bytes.iter().any(|byte| *byte != 0) {
                return Err(Error::TrailingData);
            }
            zeros += count as u64;
        }
        if zeros < 2 * BLOCK {
            return Err(Error::Truncated("the end marker"));
        }
        Ok(())
    }

    fn read_some(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.read += count as u64;
        if self.read > self.limit {
            return Err(io::Error::other(TotalExceeded(self.limit)));
        }
        Ok(count)
    }
}

impl<R: Read> Read for Bounded<R> {
    /// The tar reader asks for nothing behind the end marker, so where the data ends, it is missing.
    /// Left to itself, that reader takes such an end for the end of the archive, or for other damage.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.read_some(buffer)? {
            0 if !buffer.is_empty() => Err(io::ErrorKind::UnexpectedEof.into()),
            count => Ok(count),
        }
    }
}
