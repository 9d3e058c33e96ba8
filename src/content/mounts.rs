//! How file systems are mounted.

use std::path::Path;

/// Whether nothing at `path` can be started, because its file system is mounted with `noexec`.
pub(crate) fn is_noexec(path: &Path) -> bool {
    #[cfg(target_os = "linux")]
    {
        use rustix::fs::{StatVfsMountFlags, statvfs};
        statvfs(path).is_ok_and(|found| found.f_flag.contains(StatVfsMountFlags::NOEXEC))
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = path;
        false
    }
}
