//! What is in the cache by digest: looked at on each use, replaced when it is damaged.

use std::fs::{File, FileTimes, remove_file, symlink_metadata};
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::content::{
    Descriptor, Digest, MeteredReader, Progress, Silent, Step, StoreError, VerifyError,
    VerifyReader, open_regular,
};

use super::Cache;
use super::error::Error;
use super::lock::{Lock, is_at, is_locked};
use super::seal::{Look, look, seal};
use super::waiting::{Obstacle, wait_until_free, when_free};

const BUFFER: usize = 256 * 1024;

/// What is kept by digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    /// A manifest, or a layer with an archive or a part of one.
    Blob,
    /// A verified executable, named by its signed hash.
    Executable,
}

impl Kind {
    pub(super) const ALL: [Self; 2] = [Self::Blob, Self::Executable];

    /// The folder that it is in.
    pub(super) const fn folder(self) -> &'static str {
        match self {
            Self::Blob => "blobs",
            Self::Executable => "executables",
        }
    }

    /// The permission bits: nobody writes to it.
    pub(super) fn mode(self) -> u32 {
        match self {
            Self::Blob => 0o444,
            Self::Executable => Cache::EXECUTABLE_MODE,
        }
    }
}

/// Content that is in use: nothing of it is pruned while this lives.
#[derive(Debug)]
pub struct Held {
    path: PathBuf,
    file: File,
}

impl Held {
    /// A file that is locked already, and is at `path`.
    pub(super) fn new(path: PathBuf, file: File) -> Self {
        Self { path, file }
    }

    /// The file. Never write to it.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn into_file(self) -> File {
        self.file
    }
}

impl Cache {
    /// The file that holds the content of `digest`, if it is there. Its seal is checked; when that is
    /// broken, the file is read, which blocks, and removed if it is damaged.
    ///
    /// # Errors
    ///
    /// [`Error::File`].
    pub fn blob(&self, digest: &Digest) -> Result<Option<PathBuf>, Error> {
        wait_until_free(|| self.checked(Kind::Blob, digest))
    }

    /// The verified executable whose signed hash is `digest`, if it is there; checked as
    /// [`blob`](Self::blob) is, and noted as used.
    ///
    /// # Errors
    ///
    /// [`Error::File`].
    pub fn executable(&self, digest: &Digest) -> Result<Option<PathBuf>, Error> {
        let held = wait_until_free(|| self.held(Kind::Executable, digest))?;
        Ok(held.map(|held| held.path))
    }

    /// The same as [`blob`](Self::blob), kept from being pruned and noted as used.
    ///
    /// # Errors
    ///
    /// [`Error::File`].
    pub fn hold(&self, digest: &Digest) -> Result<Option<Held>, Error> {
        wait_until_free(|| self.held(Kind::Blob, digest))
    }

    /// As [`hold`](Self::hold), where it blocks nobody.
    pub(crate) async fn hold_off_the_runtime(
        &self,
        digest: &Digest,
    ) -> Result<Option<Held>, StoreError> {
        let (cache, digest) = (self.clone(), digest.clone());
        when_free(move || cache.held(Kind::Blob, &digest)).await
    }

    /// Reads content to the end, whatever its seal, and removes it if it is damaged. Whether it is there
    /// and intact.
    pub(crate) async fn is_intact(&self, digest: &Digest) -> Result<bool, StoreError> {
        let (cache, digest) = (self.clone(), digest.clone());
        when_free(move || {
            let _turn = cache.turn(&digest)?;
            match look(&cache.paths.content(Kind::Blob, &digest), Kind::Blob.mode()) {
                Ok(Look::Absent) => Ok(false),
                _ => Ok(cache.reread(Kind::Blob, &digest, &Silent)?),
            }
        })
        .await
    }

    pub(super) fn held(&self, kind: Kind, digest: &Digest) -> Result<Option<Held>, Obstacle> {
        while let Some(path) = self.checked(kind, digest)? {
            let opened = File::open(&path).and_then(|file| {
                let locked = is_locked(file.try_lock_shared())?;
                Ok((file, locked))
            });
            match opened {
                // Somebody is about to prune it.
                Ok((_, false)) => return Err(Obstacle::Busy),
                // Pruned between the look and the lock, and perhaps there again.
                Ok((file, true)) if !is_at(&file, &path) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Ok((file, true)) => {
                    note_use(&file, &path, SystemTime::now());
                    return Ok(Some(Held { path, file }));
                }
                Err(error) => return Err(Error::file(&path)(error).into()),
            }
        }
        Ok(None)
    }

    /// When content was last used, if it is there.
    pub(super) fn last_use(&self, digest: &Digest) -> Result<Option<SystemTime>, Error> {
        let path = self.paths.content(Kind::Blob, digest);
        match symlink_metadata(&path).and_then(|metadata| metadata.accessed()) {
            Ok(used) => Ok(Some(used)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Error::file(&path)(error)),
        }
    }

    fn checked(&self, kind: Kind, digest: &Digest) -> Result<Option<PathBuf>, Obstacle> {
        let path = self.paths.content(kind, digest);
        match look(&path, kind.mode()).map_err(Error::file(&path))? {
            Look::Absent => Ok(None),
            Look::Sealed => Ok(Some(path)),
            Look::Broken | Look::Foreign => {
                let _turn = self.turn(digest)?;
                let intact = self.recheck(kind, digest)?;
                Ok(intact.then_some(path))
            }
        }
    }

    /// The right to check or to make the content of `digest`, unless somebody else has it.
    pub(super) fn turn(&self, digest: &Digest) -> Result<Lock, Obstacle> {
        let path = self.paths.lock(digest);
        self.paths.create_parent(&path)?;
        let turn = Lock::attempt(&path).map_err(Error::file(&path))?;
        turn.ok_or(Obstacle::Busy)
    }

    /// Reads content whose seal is broken, in the caller's [`turn`](Self::turn): it is sealed again, or
    /// removed. Whether it is there now.
    pub(super) fn recheck(&self, kind: Kind, digest: &Digest) -> Result<bool, Error> {
        let path = self.paths.content(kind, digest);
        match look(&path, kind.mode()).map_err(Error::file(&path))? {
            Look::Absent => Ok(false),
            // Somebody else was here while this call waited for its turn.
            Look::Sealed => Ok(true),
            Look::Broken | Look::Foreign => self.reread(kind, digest, &Silent),
        }
    }

    /// The same, whatever the seal. Reading does not count as use.
    pub(super) fn reread(
        &self,
        kind: Kind,
        digest: &Digest,
        progress: &dyn Progress,
    ) -> Result<bool, Error> {
        let path = self.paths.content(kind, digest);
        let reread = || {
            if look(&path, kind.mode())? == Look::Foreign {
                return Ok(false);
            }
            let (file, size) = open_regular(&path)?;
            let used = file.metadata()?.accessed()?;
            let intact = reads_as(&file, size, digest, progress)?;
            if intact {
                seal(&file, kind.mode())?;
                file.set_times(FileTimes::new().set_accessed(used))?;
            }
            Ok(intact)
        };
        match reread() {
            Ok(true) => Ok(true),
            Ok(false) => remove_damaged(&path),
            Err(error) => Err(Error::file(&path)(error)),
        }
    }
}

/// Whether the content of `file`, of `size` bytes, has this digest.
fn reads_as(file: &File, size: u64, digest: &Digest, progress: &dyn Progress) -> io::Result<bool> {
    let descriptor = Descriptor {
        media_type: String::new(),
        digest: digest.clone(),
        size,
    };
    let metered = MeteredReader::new(file, progress.begin(Step::Verifying, size));
    let mut reader = VerifyReader::new(metered, &descriptor);
    match io::copy(
        &mut BufReader::with_capacity(BUFFER, &mut reader),
        &mut io::sink(),
    ) {
        Ok(_) => Ok(reader.finish().is_ok()),
        // It grew meanwhile.
        Err(error)
            if error
                .get_ref()
                .is_some_and(|inner| inner.is::<VerifyError>()) =>
        {
            Ok(false)
        }
        Err(error) => Err(error),
    }
}

/// Removes what must not be used. Whoever asks for it next puts it there anew.
fn remove_damaged(path: &Path) -> Result<bool, Error> {
    remove_file(path).map_err(Error::file(path))?;
    tracing::warn!("{} was damaged, and is removed", path.display());
    Ok(false)
}

/// Notes when a file was used: pruning takes what has not been for longest. The access time is where that
/// is kept; the system's own idea of it can be hours old. On a cache that is read only, nothing is pruned
/// either.
pub(super) fn note_use(file: &File, path: &Path, used: SystemTime) {
    if let Err(error) = file.set_times(FileTimes::new().set_accessed(used)) {
        tracing::debug!(path = %path.display(), %error, "use not noted");
    }
}
