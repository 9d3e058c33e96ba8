//! `par manual`

use std::io::Write;
use std::path::{Path, PathBuf};

use crate::content::AtomicFile;
use anyhow::{Context, Result};
use clap::{Command, CommandFactory, ValueHint};
use clap_mangen::Man;
use serde_json::Value;

use super::Cli;
use super::destination::destination;
use super::escape;
use super::output::Answer;
use super::session::{blocking, text};

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

pub(crate) async fn run(args: Args) -> Result<Answer> {
    let paths = blocking(move || write(&args.destination)).await?;
    let lines: String = paths
        .iter()
        .map(|path| format!("{}\n", escape::line(path)))
        .collect();
    let paths: Vec<Value> = paths.into_iter().map(Value::from).collect();
    Ok(Answer::new(lines).field("files", paths))
}

/// Writes a page for each command, and gives their paths.
fn write(folder: &Path) -> Result<Vec<String>> {
    std::fs::create_dir_all(folder)
        .with_context(|| format!("no folder {} could be made", text(folder)))?;
    let mut command = Cli::command().disable_help_subcommand(true);
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
        written.with_context(|| format!("{} could not be written", text(&path)))?;
        paths.push(text(&path));
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
