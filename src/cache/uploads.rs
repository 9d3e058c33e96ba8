//! The addresses of unfinished uploads, so that the next push continues an interrupted upload.

use std::fs::File;
use std::io::{self, Read, Seek, Write};

use crate::content::{Digest, UploadSlot};

use super::error::Error;
use super::lock::LockedFile;
use super::open::Cache;

/// The longest address that is remembered, in bytes.
const LONGEST: u64 = 8 * 1024;

/// The file with the address of one upload. It is locked while a task sends the content.
pub(crate) struct UploadFile(LockedFile);

impl Cache {
    /// Returns the file for an upload of `content` into `repository` (`registry/repository`). `None` when another task
    /// or process is uploading the same content there, or when the file system has no locks. Blocks.
    pub(crate) fn upload(
        &self,
        repository: &str,
        content: &Digest,
    ) -> Result<Option<UploadFile>, Error> {
        let path = self.paths.upload(repository, content);
        self.paths.make_way(&path)?;
        let Ok(file) = LockedFile::try_open(&path).map_err(Error::file(&path))? else {
            return Ok(None);
        };
        let file = UploadFile(file);
        // On a file system without locks, the file has another path. Another process may be uploading then.
        Ok((file.0.path == path).then_some(file))
    }
}

impl UploadSlot for UploadFile {
    fn address(&self) -> Option<String> {
        let mut address = String::new();
        let read =
            rewound(&self.0.file).and_then(|file| file.take(LONGEST).read_to_string(&mut address));
        // An address without a line end is incomplete: its process was killed while it wrote the address.
        let address = read.ok().and_then(|_| address.strip_suffix('\n'))?;
        Some(address.to_owned())
    }

    fn remember(&self, address: &str) {
        if address.len() as u64 >= LONGEST || address.contains('\n') {
            return self.report(self.0.file.set_len(0));
        }
        let written = self.0.file.set_len(0).and_then(|()| {
            let mut file = rewound(&self.0.file)?;
            file.write_all(format!("{address}\n").as_bytes())
        });
        self.report(written);
    }

    fn forget(&self) {
        self.report(self.0.file.set_len(0));
    }
}

impl UploadFile {
    /// Logs a failure. Without the file, the next upload only has to begin at the start.
    fn report(&self, outcome: io::Result<()>) {
        if let Err(error) = outcome {
            tracing::debug!(path = %self.0.path.display(), %error, "an upload is not remembered");
        }
    }
}

impl Drop for UploadFile {
    fn drop(&mut self) {
        // An empty file has no address.
        if self.0.file.metadata().is_ok_and(|file| file.len() == 0) {
            self.report(self.0.remove());
        }
    }
}

fn rewound(mut file: &File) -> io::Result<&File> {
    file.rewind()?;
    Ok(file)
}

#[cfg(test)]
#[path = "tests/uploads.rs"]
mod tests;
