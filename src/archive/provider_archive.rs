//! The interface of the `provider-archive` crate.
//!
//! Names, arguments and `async` are the same as in its version 0.16, so that a program only has to change its `use`
//! line. Loading is stricter: it also verifies the signature, the key types and the dates.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use nkeys::KeyPair;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncSeek, AsyncSeekExt};
use wascap::jwt::{CapabilityProvider, Claims, Token};

use crate::content::{Silent, blocking, open_regular};

use super::claims::Metadata;
use super::compression::Compression;
use super::error::Error;
use super::keys::Key;
use super::limits::Limits;
use super::read::{Loaded, load};
use super::target::Target;
use super::write::{ArchiveWriter, Input, Signer};

/// How many bytes of an input are copied at a time.
const PIECE: usize = 1024 * 1024;

/// The result type of `provider-archive`. The error inside is an [`Error`] or an [`io::Error`].
pub type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Sync + Send>>;

/// An archive in memory. The streaming functions of [`archive`](super) suit large archives better.
pub struct ProviderArchive {
    metadata: Metadata,
    executables: BTreeMap<Target, Bytes>,
    world: Option<Bytes>,
    token: Option<Token<CapabilityProvider>>,
}

impl ProviderArchive {
    /// Creates an archive without executables.
    #[must_use]
    pub fn new(name: &str, vendor: &str, rev: Option<i32>, ver: Option<String>) -> Self {
        Self {
            metadata: Metadata {
                name: Some(name.to_owned()),
                vendor: vendor.to_owned(),
                revision: rev,
                version: ver,
                ..Metadata::default()
            },
            executables: BTreeMap::new(),
            world: None,
            token: None,
        }
    }

    /// Adds the executable for a target, or replaces it.
    ///
    /// # Errors
    ///
    /// A [`ParseTargetError`](super::ParseTargetError) when no archive can carry an entry of that name.
    pub fn add_library(&mut self, target: &str, input: &[u8]) -> Result<()> {
        let target = Target::carried(target)?;
        self.executables
            .insert(target, Bytes::copy_from_slice(input));
        Ok(())
    }

    /// Sets the WIT world, in its encoded form.
    ///
    /// # Errors
    ///
    /// None today.
    pub fn add_wit_world(&mut self, world: &[u8]) -> Result<()> {
        self.world = Some(Bytes::copy_from_slice(world));
        Ok(())
    }

    /// Sets the JSON schema of the provider's configuration.
    ///
    /// # Errors
    ///
    /// None today.
    pub fn set_schema(&mut self, schema: serde_json::Value) -> Result<()> {
        self.metadata.schema = Some(schema);
        Ok(())
    }

    /// Returns the targets of the executables.
    #[must_use]
    pub fn targets(&self) -> Vec<String> {
        self.executables.keys().map(Target::to_string).collect()
    }

    /// Returns the executable for a target.
    #[must_use]
    pub fn target_bytes(&self, target: &str) -> Option<Vec<u8>> {
        let target = Target::carried(target).ok()?;
        self.executables.get(&target).map(|bytes| bytes.to_vec())
    }

    /// Returns the claims. There are none before the archive has been written or loaded.
    #[must_use]
    pub fn claims(&self) -> Option<Claims<CapabilityProvider>> {
        self.token.as_ref().map(|token| token.claims.clone())
    }

    /// Returns the signed token. There is none before the archive has been written or loaded.
    #[must_use]
    pub fn claims_token(&self) -> Option<Token<CapabilityProvider>> {
        self.token.clone()
    }

    /// Returns the JSON schema of the provider's configuration.
    #[must_use]
    pub fn schema(&self) -> Option<serde_json::Value> {
        self.metadata.schema.clone()
    }

    /// Returns the WIT world, in its encoded form.
    #[must_use]
    pub fn wit_world(&self) -> Option<&[u8]> {
        self.world.as_deref()
    }

    /// Loads and verifies an archive with all its executables. This blocks the thread of the caller, as its peer does:
    /// for a large archive, use [`try_load_file`](Self::try_load_file).
    ///
    /// # Errors
    ///
    /// The [`Error`] of the first check that fails.
    pub async fn try_load(input: &[u8]) -> Result<Self> {
        read(input, None)
    }

    /// Loads and verifies an archive, and keeps the executable for one target.
    ///
    /// # Errors
    ///
    /// The [`Error`] of the first check that fails, or [`Error::NoSuchTarget`].
    pub async fn try_load_target(input: &[u8], target: &str) -> Result<Self> {
        read(input, Some(target))
    }

    /// Loads and verifies the archive in a file with all its executables.
    ///
    /// # Errors
    ///
    /// The [`Error`] of the first check that fails, with the path of the file.
    pub async fn try_load_file(path: impl AsRef<Path>) -> Result<Self> {
        load_path(path.as_ref(), None).await
    }

    /// Loads and verifies the archive in a file, and keeps the executable for one target.
    ///
    /// # Errors
    ///
    /// The [`Error`] of the first check that fails, with the path of the file.
    pub async fn try_load_target_from_file(path: impl AsRef<Path>, target: &str) -> Result<Self> {
        load_path(path.as_ref(), Some(target)).await
    }

    /// Loads and verifies the archive in `input` from its start, and keeps the executable for `target`, or
    /// all executables. Like the other functions, it works outside of a Tokio runtime too.
    ///
    /// # Errors
    ///
    /// The [`Error`] of the first check that fails, or the error of `input`.
    pub async fn load<R: AsyncRead + AsyncSeek + Unpin + Send + Sync>(
        input: &mut R,
        target: Option<&str>,
    ) -> Result<Self> {
        input.rewind().await?;
        let copy = spool(&mut input.take(Limits::default().total)).await?;
        let target = target.map(str::to_owned);
        blocking(move || read(copy, target.as_deref())).await
    }

    /// Signs and writes the archive. When it is compressed and `destination` lacks the extension `.gz`, the extension
    /// is added, as in the `provider-archive` crate.
    ///
    /// # Errors
    ///
    /// An [`Error`] when `issuer` has no seed or is not an account, when `subject` is not a service, or
    /// when the file cannot be written.
    pub async fn write(
        &mut self,
        destination: impl AsRef<Path>,
        issuer: &KeyPair,
        subject: &KeyPair,
        compress_par: bool,
    ) -> Result<()> {
        let signer = Signer::new(Key::of_issuer(issuer), subject.public_key().parse()?)?;
        let mut writer = ArchiveWriter::new(self.metadata.clone());
        for (target, bytes) in &self.executables {
            writer.executable(target.clone(), Input::Bytes(bytes.clone()));
        }
        if let Some(world) = &self.world {
            writer.world(world.clone());
        }
        let (destination, compression) = if compress_par {
            (with_gz(destination.as_ref())?, Compression::Gzip)
        } else {
            (destination.as_ref().to_owned(), Compression::None)
        };
        let write =
            move || Result::Ok(writer.write(&destination, &signer, compression, &Silent)?);
        self.token = Some(blocking(write).await?.as_wascap().clone());
        Ok(())
    }
}

impl From<Loaded> for ProviderArchive {
    fn from(loaded: Loaded) -> Self {
        let claims = loaded.contents.claims;
        Self {
            metadata: claims.metadata(),
            executables: loaded
                .executables
                .into_iter()
                .map(|(target, bytes)| (target, bytes.into()))
                .collect(),
            world: loaded.contents.world.map(Bytes::from),
            token: Some(claims.as_wascap().clone()),
        }
    }
}

async fn load_path(path: &Path, target: Option<&str>) -> Result<ProviderArchive> {
    let (path, target) = (path.to_owned(), target.map(str::to_owned));
    blocking(move || {
        let (file, _) = open_regular(&path).map_err(|source| Error::read(&path, source))?;
        read(file, target.as_deref()).map_err(|error| match error.downcast::<Error>() {
            Ok(error) => error.in_archive(&path).into(),
            Err(other) => other,
        })
    })
    .await
}

/// Loads the archive in `input`. Fails when `target` is not in the archive: callers of the `provider-archive` crate
/// rely on that error.
fn read(input: impl Read, target: Option<&str>) -> Result<ProviderArchive> {
    let loaded = load(input, target, &Limits::default())?;
    if let Some(target) = target {
        loaded.contents.require(&Target::carried(target)?)?;
    }
    Ok(loaded.into())
}

/// Copies an input to a file without a name, because the reader of archives needs blocking input.
async fn spool(input: &mut (impl AsyncRead + Unpin)) -> Result<File> {
    let mut copy = blocking(|| Result::Ok(tempfile::tempfile()?)).await?;
    loop {
        let mut piece = Vec::with_capacity(PIECE);
        while piece.len() < PIECE && input.read_buf(&mut piece).await? > 0 {}
        if piece.is_empty() {
            copy.rewind()?;
            return Ok(copy);
        }
        copy = blocking(move || {
            copy.write_all(&piece)?;
            Result::Ok(copy)
        })
        .await?;
    }
}

fn with_gz(destination: &Path) -> io::Result<PathBuf> {
    let name = destination.file_name().ok_or(io::ErrorKind::InvalidInput)?;
    if Path::new(name)
        .extension()
        .is_some_and(|extension| extension == "gz")
    {
        return Ok(destination.to_owned());
    }
    let mut name = name.to_owned();
    name.push(".gz");
    Ok(destination.with_file_name(name))
}
