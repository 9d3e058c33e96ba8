//! Keeping standard input in a file, for content that is read several times.

use std::fs::File;
use std::io::{self, IsTerminal, Read};

use anyhow::{Context, Result, bail};
use tempfile::{NamedTempFile, TempPath};

use crate::archive::Limits;

use super::files;
use super::output::Failure;
use super::threads::{blocking, detached};

/// Keeps standard input, which is read as `what`, in a temporary file that only this user can read. It is removed when the
/// path is dropped. As much is kept as an archive may have.
pub(crate) async fn keep_standard_input(what: &'static str) -> Result<TempPath> {
    let input = files::standard_input(what)?;
    if input.is_terminal() {
        let message = format!("standard input is a terminal, not {what}");
        bail!(Failure::usage(message).hint("name a file, or pipe the content into `par`"));
    }
    let create = || NamedTempFile::with_prefix("par-").context("cannot make a temporary file");
    let (file, path) = blocking(create).await?.into_parts();
    detached(move || keep(input, file)).await?;
    Ok(path)
}

fn keep(input: impl Read, mut file: File) -> Result<()> {
    let limit = Limits::default().total;
    let copied = io::copy(&mut input.take(limit + 1), &mut file);
    if copied.context("cannot keep standard input in a temporary file")? > limit {
        let message = format!("standard input has more than {limit} bytes");
        bail!(Failure::usage(message));
    }
    Ok(())
}
