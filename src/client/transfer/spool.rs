//! Writing an archive that can be read only once to a temporary file.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use tempfile::{NamedTempFile, TempPath};

use crate::archive::{Contents, Dates, verify_with};
use crate::content::{MeteredReader, Step};

use super::super::blocking::Input;
use super::super::error::Error;
use super::super::{Client, blocking};

/// Verifies the archive that `input` yields, and writes it to a temporary file, which is removed when its path is
/// dropped. `name` names the input in errors.
///
/// The input is read on a thread of its own, because it may never end. Dropping the future does
/// not wait for that thread.
pub(in crate::client) async fn spool(
    client: &Client,
    input: impl Read + Send + 'static,
    name: &str,
) -> Result<(TempPath, Contents), Error> {
    let (file, path) = blocking(temporary_file).await?;
    let name = name.to_owned();
    let verifying = client.on_own_thread("spool", Input::Foreign, move |client| {
        let meter = client.progress.begin(Step::Verifying, 0);
        let spool = Spool {
            input: MeteredReader::new(input, meter),
            file,
            room: client.limits.total,
        };
        let contents = verify_with(spool, &client.limits, Dates::ValidLater);
        Ok(contents.map_err(|error| error.in_archive(Path::new(&name)))?)
    });
    let contents = verifying.await?;
    Ok((path, contents))
}

fn temporary_file() -> Result<(File, TempPath), Error> {
    let file = NamedTempFile::with_prefix("par-");
    let file = file.map_err(Error::write(&std::env::temp_dir()))?;
    Ok(file.into_parts())
}

/// A reader that writes all bytes that are read to a file.
struct Spool<R> {
    input: R,
    file: File,
    /// By how many bytes the file may still grow. Limits on inflated sizes do not bound the file: an endless
    /// input can inflate to nothing.
    room: u64,
}

impl<R: Read> Read for Spool<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.input.read(buffer)?;
        let bytes = buffer.get(..count).unwrap_or_default();
        self.room = self
            .room
            .checked_sub(count as u64)
            .ok_or(io::ErrorKind::FileTooLarge)?;
        self.file.write_all(bytes).map_err(|error| {
            let directory = std::env::temp_dir();
            let message = format!(
                "cannot write it to a temporary file in {}: {error}",
                directory.display()
            );
            io::Error::new(error.kind(), message)
        })?;
        Ok(count)
    }
}
