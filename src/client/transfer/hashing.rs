//! Hashing a file that is to be uploaded.

use std::io::{self, BufReader};

use crate::content::{Descriptor, DigestReader, MeteredReader, Step};

use super::super::client::Client;
use super::super::error::Error;
use super::unchanged_file::{UnchangedFile, unreadable};

/// Returns the descriptor of a file's content.
pub(in crate::client) async fn hash(
    client: &Client,
    file: &UnchangedFile,
    media_type: &str,
) -> Result<Descriptor, Error> {
    const BUFFER: usize = 256 * 1024;
    let (file, media_type) = (file.clone(), media_type.to_owned());
    let hashing = client.blocking(move |client| {
        let meter = client.progress.begin(Step::Hashing, file.size());
        let input = DigestReader::new(MeteredReader::new(file.reader()?, meter));
        let mut input = BufReader::with_capacity(BUFFER, input);
        io::copy(&mut input, &mut io::sink()).map_err(unreadable(file.path()))?;
        Ok(input.into_inner().finish(&media_type))
    });
    hashing.await
}
