//! `par manual`

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::{Command, ValueHint};
use clap_mangen::Man;
use serde_json::Value;

use crate::cli::arguments::destination;
use crate::cli::output::{Answer, escape, path_text};
use crate::cli::threads::blocking;
use crate::content::AtomicFile;

/// Write the manual pages of `par` and of its commands, and print their paths
///
/// `man` finds them in `share/man/man1` of where `par` is installed, such as `/usr/local` or `~/.local`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The folder for the pages, which is made when there is none
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
    let lines: String = paths
        .iter()
        .map(|path| format!("{}\n", escape::line(path)))
        .collect();
    let paths: Vec<Value> = paths.into_iter().map(Value::from).collect();
    Ok(Answer::new(lines).field("files", paths))
}

/// Writes a page for each command, and gives their paths.
fn write(folder: &Path, par: Command) -> Result<Vec<String>> {
    std::fs::create_dir_all(folder)
        .with_context(|| format!("no folder {} could be made", path_text(folder)))?;
    let mut command = par.disable_help_subcommand(true);
    command.build();
    let mut pages = Vec::new();
    collect(command, &mut pages);
    let mut paths = Vec::new();
    for page in pages {
        let path = folder.join(page.get_filename());
        let written = AtomicFile::create(&path).and_then(|mut file| {
            page.render(&mut file)?;
            file.flush()?;
            file.commit()
        });
        written.with_context(|| format!("{} could not be written", path_text(&path)))?;
        paths.push(path_text(&path));
    }
    Ok(paths)
}

/// The page of a command, and those of the commands below it.
fn collect(command: Command, pages: &mut Vec<Man>) {
    let below: Vec<Command> = command.get_subcommands().cloned().collect();
    let page = Man::new(command)
        // Without one, what comes behind it in the title would be taken for it.
        .date(" ")
        .source(concat!("par ", env!("CARGO_PKG_VERSION")))
        .manual("Provider archives");
    pages.push(page);
    for command in below {
        collect(command, pages);
    }
}
