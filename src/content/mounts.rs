//! How file systems are mounted.

use std::path::Path;

/// Whether the file system of `path` is mounted with `noexec`, so that no file in it can be started. `false` on other
/// systems than Linux.
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
