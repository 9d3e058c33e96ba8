//! The last use of a file. Pruning decides by it.
//!
//! The access time has it, and tasks set this time themselves, because the system may update it hours late.

use std::fs::{File, FileTimes, Metadata};
use std::io;
use std::path::Path;
use std::time::SystemTime;

/// Records that a file is used now. In a read-only cache this fails without harm, because nothing is pruned there.
pub(super) fn note_use(file: &File, path: &Path) {
    set(file, path, SystemTime::now());
}

/// The last use of a file before this task reads it. Such reading does not count as a use.
///
/// The system may set the access time while this task reads, which has to be undone. But another task may note a
/// use meanwhile, and that time has to stay. Noting a use changes the status of the file (`ctime` in `stat(2)`), and
/// reading does not. Any other change of the status, such as a new link, is taken for a use as well: the file is kept
/// longer.
pub(super) struct LastUse {
    used: SystemTime,
    changed: Option<(i64, i64)>,
}

impl LastUse {
    pub(super) fn of(file: &File) -> io::Result<Self> {
        let metadata = file.metadata()?;
        Ok(Self {
            used: metadata.accessed()?,
            changed: change_time(&metadata),
        })
    }

    /// Returns the last use after this task has read `file`, or a later time if another task noted a use meanwhile.
    pub(super) fn latest(&self, file: &File) -> io::Result<SystemTime> {
        let metadata = file.metadata()?;
        if change_time(&metadata) == self.changed {
            Ok(self.used)
        } else {
            metadata.accessed()
        }
    }

    /// Gives `file`, which this task has read, the access time of its last use.
    pub(super) fn restore(&self, file: &File, path: &Path) {
        if let Ok(used) = self.latest(file) {
            set(file, path, used);
        }
    }
}

fn set(file: &File, path: &Path, used: SystemTime) {
    if let Err(error) = file.set_times(FileTimes::new().set_accessed(used)) {
        tracing::debug!(path = %path.display(), %error, "the last use is not recorded");
    }
}

/// Returns when the status of a file changed last, in seconds and nanoseconds. `None` where the system does not tell.
fn change_time(metadata: &Metadata) -> Option<(i64, i64)> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        Some((metadata.ctime(), metadata.ctime_nsec()))
    }
    #[cfg(not(unix))]
    {
        let _ = metadata;
        None
    }
}

#[cfg(test)]
#[path = "tests/last_use.rs"]
mod tests;
