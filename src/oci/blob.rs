//! Reading content that is not a manifest.

use std::io;

use tokio::io::{AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::content::{Descriptor, Source, VerifyReader};

use super::error::Error;

const BUFFER: usize = 256 * 1024;

/// Copies the content of a descriptor from `source` to `to`, and verifies it. Use the bytes in `to` only after this has
/// succeeded.
///
/// The outer error is an error of the source, or of bytes that do not verify. The inner error is an error of `to`.
pub(crate) async fn copy_blob(
    content: &Descriptor,
    source: &dyn Source,
    to: &mut (impl AsyncWrite + Unpin),
) -> Result<io::Result<()>, Error> {
    let failed = |error| Error::reading(format!("content {}", content.digest), error);
    let mut reader = VerifyReader::new(source.open(0).await?, content);
    let mut buffer = vec![0; BUFFER];
    loop {
        let count = reader.read(&mut buffer).await.map_err(failed)?;
        if count == 0 {
            break;
        }
        let bytes = buffer.get(..count).unwrap_or_default();
        if let Err(error) = to.write_all(bytes).await {
            return Ok(Err(error));
        }
    }
    reader.finish_async().await.map_err(failed)?;
    Ok(to.flush().await)
}
