//! Packing an archive.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufWriter, Cursor, Read, Write};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use tar::Header;

use crate::content::{Algorithm, AtomicFile, Digest, Hasher, Meter, open_regular};

use super::claims::{Metadata, Signer, VerifiedClaims};
use super::error::Error;
use super::extract::write_error;
use super::gzip::Encoder;
use super::target::Target;
use super::{CLAIMS_ENTRY, WORLD_ENTRY};

/// Where an executable comes from.
#[derive(Debug, Clone)]
pub enum Input {
    /// A file, which is read twice and never held in memory.
    File(PathBuf),
    /// Bytes in memory.
    Bytes(Bytes),
}

impl Input {
    fn open(&self) -> Result<(Opened, u64), Error> {
        match self {
            Self::File(path) => open_regular(path)
                .map(|(file, size)| (Opened::File(file), size))
                .map_err(|source| self.read_error(source)),
            Self::Bytes(bytes) => Ok((
                Opened::Bytes(Cursor::new(bytes.clone())),
                bytes.len() as u64,
            )),
        }
    }

    fn path(&self) -> PathBuf {
        match self {
            Self::File(path) => path.clone(),
            Self::Bytes(_) => PathBuf::from("(memory)"),
        }
    }

    fn read_error(&self, source: io::Error) -> Error {
        Error::Read {
            path: self.path(),
            source,
        }
    }
}

enum Opened {
    File(File),
    Bytes(Cursor<Bytes>),
}

impl Read for Opened {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::File(file) => file.read(buffer),
            Self::Bytes(bytes) => bytes.read(buffer),
        }
    }
}

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

    /// Sets the WIT world, in its encoded form.
    pub fn world(&mut self, world: impl Into<Bytes>) {
        self.world = Some(world.into());
    }

    /// How many bytes [`write`](Self::write) will report to its meter: every input is read twice, once
    /// for its hash and once to pack it.
    ///
    /// # Errors
    ///
    /// [`Error::Read`] when an input cannot be opened.
    pub fn total(&self) -> Result<u64, Error> {
        self.executables
            .values()
            .try_fold(0, |sum, input| Ok(sum + 2 * input.open()?.1))
    }

    /// Signs the claims and writes the archive to `destination`, which appears complete or not at all.
    ///
    /// # Errors
    ///
    /// [`Error::Read`], [`Error::Write`], [`Error::InputChanged`], or those of signing.
    pub fn write(
        &self,
        destination: &Path,
        signer: &Signer,
        compression: Compression,
        meter: &dyn Meter,
    ) -> Result<VerifiedClaims, Error> {
        // A meter that stops the work, or the disk.
        let failed = |error| match error {
            Error::Stream(source) => write_error(destination, source),
            other => other,
        };
        let hashes = self.hash(meter).map_err(failed)?;
        let claims = self.sign(signer, &hashes)?;
        let mut file =
            AtomicFile::create(destination).map_err(|source| write_error(destination, source))?;
        self.pack(&mut file, &claims, compression, meter)
            .map_err(failed)?;
        file.commit()
            .map_err(|source| write_error(destination, source))?;
        Ok(claims)
    }

    fn sign(
        &self,
        signer: &Signer,
        hashes: &BTreeMap<Target, Digest>,
    ) -> Result<VerifiedClaims, Error> {
        let world = self.world.as_deref().map(Digest::of);
        signer.sign(&self.metadata, hashes, world.as_ref())
    }

    fn hash(&self, meter: &dyn Meter) -> Result<BTreeMap<Target, Digest>, Error> {
        let mut hashes = BTreeMap::new();
        for (target, input) in &self.executables {
            let (opened, size) = input.open()?;
            let digest = copy(opened, size, &mut io::sink(), input, meter)?;
            hashes.insert(target.clone(), digest);
        }
        Ok(hashes)
    }

    /// Writes the tar. The claims were made over what the inputs held; packing compares again.
    fn pack(
        &self,
        output: impl Write,
        claims: &VerifiedClaims,
        compression: Compression,
        meter: &dyn Meter,
    ) -> Result<(), Error> {
        let output = BufWriter::with_capacity(256 * 1024, output);
        let mut tar = Encoder::new(output, compression == Compression::Gzip);
        let token = claims.token().as_bytes();
        entry(&mut tar, CLAIMS_ENTRY, token)?;
        if let Some(world) = &self.world {
            entry(&mut tar, WORLD_ENTRY, world)?;
        }
        for (target, input) in &self.executables {
            let (opened, size) = input.open()?;
            let header = header(&format!("{target}.bin"), size, 0o755)?;
            tar.write_all(header.as_bytes()).map_err(Error::Stream)?;
            let digest = copy(opened, size, &mut tar, input, meter)?;
            if claims.executables().get(target) != Some(&digest) {
                return Err(Error::InputChanged(input.path()));
            }
            pad(&mut tar, size)?;
        }
        tar.write_all(&[0; 1024]).map_err(Error::Stream)?;
        let mut output = tar.finish().map_err(Error::Stream)?;
        output.flush().map_err(Error::Stream)
    }
}

/// Copies exactly `size` bytes and gives their digest.
fn copy(
    mut opened: Opened,
    size: u64,
    output: &mut impl Write,
    input: &Input,
    meter: &dyn Meter,
) -> Result<Digest, Error> {
    let mut hasher = Hasher::new(Algorithm::Sha256);
    let mut buffer = vec![0; 128 * 1024];
    let mut read: u64 = 0;
    loop {
        let count = opened
            .read(&mut buffer)
            .map_err(|source| input.read_error(source))?;
        let bytes = buffer.get(..count).unwrap_or_default();
        if bytes.is_empty() {
            break;
        }
        read += count as u64;
        if read > size {
            return Err(Error::InputChanged(input.path()));
        }
        hasher.update(bytes);
        output.write_all(bytes).map_err(Error::Stream)?;
        meter.advance(count as u64).map_err(Error::Stream)?;
    }
    if read < size {
        return Err(Error::InputChanged(input.path()));
    }
    Ok(hasher.finish())
}

fn entry(tar: &mut impl Write, name: &str, content: &[u8]) -> Result<(), Error> {
    let size = content.len() as u64;
    let header = header(name, size, 0o644)?;
    tar.write_all(header.as_bytes())
        .and_then(|()| tar.write_all(content))
        .map_err(Error::Stream)?;
    pad(tar, size)
}

/// A header with nothing in it that changes from run to run: no owner, no time.
fn header(name: &str, size: u64, mode: u32) -> Result<Header, Error> {
    let mut header = Header::new_gnu();
    header.set_path(name).map_err(Error::DamagedTar)?;
    header.set_size(size);
    header.set_mode(mode);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_cksum();
    Ok(header)
}

fn pad(tar: &mut impl Write, size: u64) -> Result<(), Error> {
    let zeros = [0; 512];
    let missing = usize::try_from(size.next_multiple_of(512) - size).unwrap_or(0);
    tar.write_all(zeros.get(..missing).unwrap_or_default())
        .map_err(Error::Stream)
}
