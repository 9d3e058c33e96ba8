//! Writing standard input to a temporary file, for content that is read several times.

use std::fs::File;
use std::io::{self, IsTerminal, Read};

use anyhow::{Context, Result, bail};
use tempfile::{NamedTempFile, TempPath};

use crate::archive::Limits;

use super::files;
use super::output::Failure;
use super::threads::{blocking, detached};

/// Writes standard input, which is read as `what`, to a temporary file that only this user can read. The file is
/// removed when the path is dropped. Fails if standard input has more bytes than an archive may have, or none: then the
/// program in front of the pipe has probably failed.
pub(crate) async fn keep_standard_input(what: &'static str) -> Result<TempPath> {
    let input = files::standard_input(what)?;
    if input.is_terminal() {
        let message = format!("standard input is a terminal, not {what}");
        bail!(Failure::usage(message).hint("name a file, or pipe the content into `par`"));
    }
    let create = || NamedTempFile::with_prefix("par-").context("cannot make a temporary file");
    let (file, path) = blocking(create).await?.into_parts();
    let length = detached(move || keep(input, file)).await?;
    if length == 0 {
        let message = format!("standard input is empty, and not {what}");
        bail!(Failure::usage(message).hint("check the program in front of the pipe"));
    }
    Ok(path)
}

/// Returns how many bytes were kept.
fn keep(input: impl Read, mut file: File) -> Result<u64> {
    let limit = Limits::default().total;
    let copied = io::copy(&mut input.take(limit + 1), &mut file);
    let copied = copied.context("cannot keep standard input in a temporary file")?;
    if copied > limit {
        let message = format!("standard input has more than {limit} bytes");
        bail!(Failure::usage(message));
    }
    Ok(copied)
}
