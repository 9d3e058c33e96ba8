//! `par manual`

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::{Command, ValueHint};
use clap_mangen::Man;

use crate::cli::arguments::destination;
use crate::cli::output::{Answer, path_text};
use crate::cli::threads::blocking;
use crate::content::AtomicFile;

/// Write the manual pages of `par` and its commands, and print their paths
///
/// `man` finds them in `share/man/man1` of the directory that `par` is installed in, such as `/usr/local` or
/// `~/.local`.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  par manual --destination ~/.local/share/man/man1")]
pub(crate) struct Args {
    /// The directory for the pages; it is created if it does not exist
    #[arg(
        long,
        value_name = "DIR",
        value_hint = ValueHint::DirPath,
        default_value = ".",
        value_parser = destination()
    )]
    destination: PathBuf,
}

pub(crate) async fn run(args: Args, par: Command) -> Result<Answer> {
    let paths = blocking(move || write(&args.destination, par)).await?;
    Ok(Answer::lines(&paths).field("files", paths))
}

/// Writes a page for each command, and returns their paths.
fn write(directory: &Path, par: Command) -> Result<Vec<String>> {
    std::fs::create_dir_all(directory)
        .with_context(|| format!("cannot create the directory {}", path_text(directory)))?;
    let mut command = par.disable_help_subcommand(true);
    command.build();
    let mut paths = Vec::new();
    for page in pages(&command) {
        let path = directory.join(page.get_filename());
        let written = AtomicFile::create(&path).and_then(|mut file| {
            page.render(&mut file)?;
            file.flush()?;
            file.commit()
        });
        written.with_context(|| format!("cannot write {}", path_text(&path)))?;
        paths.push(path_text(&path));
    }
    Ok(paths)
}

/// Returns the page of a command and the pages of its subcommands.
fn pages(command: &Command) -> Vec<Man> {
    let page = Man::new(command.clone())
        // Without a date, the title would have the source in the place of the date.
        .date(" ")
        .source(concat!("par ", env!("CARGO_PKG_VERSION")))
        .manual("Provider archives");
    let below = command.get_subcommands().flat_map(pages);
    std::iter::once(page).chain(below).collect()
}
