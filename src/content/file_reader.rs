//! Reading a file without blocking the runtime.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use tokio_util::io::StreamReader;

use super::blocking::{RuntimeEnded, blocking};
use super::storage::Reader;

/// The most bytes that one piece of blocking work reads.
const CHUNK: usize = 256 * 1024;

/// A file, and the positions of the bytes that are still to be read.
type Rest = (File, Range<u64>);

/// Returns a reader of the bytes of `file` at the positions `range`. It ends early where the file does. Files of the crate
/// `tokio` would have the runtime start a thread for most reads of many files at the same time.
pub(crate) fn file_reader(file: File, range: Range<u64>) -> Reader {
    let chunks = stream::try_unfold((file, range), |rest| async {
        if rest.1.is_empty() {
            return Ok(None);
        }
        let read = blocking(move || Ok::<_, RuntimeEnded>(read_chunk(rest)));
        read.await.map_err(io::Error::other)?
    });
    Box::new(StreamReader::new(chunks.boxed()))
}

/// Reads the next bytes. Returns `None` at the end of the file.
fn read_chunk((mut file, range): Rest) -> io::Result<Option<(Bytes, Rest)>> {
    let length = usize::try_from(range.end - range.start).map_or(CHUNK, |left| left.min(CHUNK));
    let mut chunk = vec![0; length];
    file.seek(SeekFrom::Start(range.start))?;
    let count = loop {
        match file.read(&mut chunk) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            read => break read?,
        }
    };
    chunk.truncate(count);
    let next = range.start + chunk.len() as u64;
    let rest = (file, next..range.end);
    Ok((!chunk.is_empty()).then(|| (chunk.into(), rest)))
}

#[cfg(test)]
#[path = "tests/file_reader.rs"]
mod tests;
