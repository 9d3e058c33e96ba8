//! Sizes, dates and paths as the commands print them.

use std::path::PathBuf;
use std::time::SystemTime;

use bytesize::ByteSize;

use crate::cli::output::path_text;
use crate::content::time_text;

pub(super) fn names(paths: &[PathBuf]) -> Vec<String> {
    paths.iter().map(|path| path_text(path)).collect()
}

pub(super) fn size(bytes: u64) -> String {
    ByteSize(bytes).display().si().to_string()
}

pub(super) fn date(time: SystemTime) -> String {
    time_text(time)
}
