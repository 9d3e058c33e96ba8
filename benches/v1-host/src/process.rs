//! The process of a provider, as Linux shows it.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

/// A process that this program has started by way of the host.
pub struct Process(u32);

impl Process {
    /// Finds the child of this process that runs an executable with these bytes.
    pub fn find(executable: &[u8]) -> anyhow::Result<Self> {
        for entry in fs::read_dir("/proc")? {
            let entry = entry?;
            let Ok(id) = entry.file_name().to_string_lossy().parse() else {
                continue;
            };
            // A process may end while its files are read.
            if parent(&entry.path()) == Some(std::process::id())
                && fs::read(entry.path().join("exe")).is_ok_and(|bytes| bytes == executable)
            {
                return Ok(Self(id));
            }
        }
        bail!("the host has no child process with the executable of the archive")
    }

    pub fn id(&self) -> u32 {
        self.0
    }

    /// Waits until the process is gone, for at most ten seconds.
    pub async fn wait_until_ended(self) -> anyhow::Result<()> {
        let path = PathBuf::from(format!("/proc/{}", self.0));
        let patience = Instant::now() + Duration::from_secs(10);
        while parent(&path) == Some(std::process::id()) {
            if Instant::now() > patience {
                bail!("process {} still runs", self.0);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(())
    }
}

/// Returns the parent of the process with this directory, unless the process has ended.
fn parent(directory: &Path) -> Option<u32> {
    let status = fs::read_to_string(directory.join("status")).ok()?;
    let field = |name: &str| status.lines().find_map(|line| line.strip_prefix(name));
    if field("State:")?.trim().starts_with('Z') {
        return None;
    }
    field("PPid:")
        .context("no parent")
        .ok()?
        .trim()
        .parse()
        .ok()
}
