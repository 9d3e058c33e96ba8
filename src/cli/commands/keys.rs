//! `par keys`

use std::path::Path;

use anyhow::{Result, bail};
use clap::{Subcommand, ValueEnum};
use serde_json::{Value, json};

use crate::archive::{self, KeyFile, KeyKind};
use crate::cli::arguments::{KeyDirectoryArgs, default_account, is_file_stem};
use crate::cli::output::{Answer, Failure, escape, path_text};
use crate::cli::session::Session;
use crate::cli::threads::blocking;
use crate::content::ErrorKind;

/// Make and look at the keys that archives are signed with
///
/// A key is a seed in a file with the extension `.nk`, where `wash` keeps it too. Seeds are secrets: no
/// command prints them.
#[derive(clap::Args)]
#[command(arg_required_else_help = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Make a key, write it to a new file, and print its public key
    Gen {
        /// What the key is for
        kind: Kind,
        /// Whose key it is: the file is `NAME_account.nk` or `NAME_service.nk`. Default for an account:
        /// `$USER`. For a service, name the provider's binary, as `par create` looks for it
        name: Option<String>,
        #[command(flatten)]
        folder: KeyDirectoryArgs,
    },
    /// List the keys in the folders for keys
    List {
        #[command(flatten)]
        folder: KeyDirectoryArgs,
    },
    /// Print the public key of a key file
    Get {
        /// The file's name, with or without `.nk`
        name: String,
        #[command(flatten)]
        folder: KeyDirectoryArgs,
    },
}

#[derive(Clone, Copy, ValueEnum)]
enum Kind {
    /// The issuer: who publishes
    Account,
    /// The subject: which provider it is
    Service,
}

pub(crate) async fn run(args: Args, session: &Session) -> Result<Answer> {
    let session = session.clone();
    blocking(move || match args.command {
        Command::Gen { kind, name, folder } => generate(kind, name, &folder, &session),
        Command::List { folder } => list(&folder),
        Command::Get { name, folder } => get(&name, &folder),
    })
    .await
}

fn generate(
    kind: Kind,
    name: Option<String>,
    folder: &KeyDirectoryArgs,
    session: &Session,
) -> Result<Answer> {
    let (kind, owner) = match (kind, name) {
        (Kind::Account, name) => (KeyKind::Account, name.unwrap_or_else(default_account)),
        (Kind::Service, Some(name)) => (KeyKind::Service, name),
        (Kind::Service, None) => bail!(
            Failure::usage("the name of the service key is missing")
                .hint("name the provider's binary: `par keys gen service NAME`")
        ),
    };
    if !is_file_stem(&owner) {
        bail!(Failure::usage(format!("`{owner}` cannot name a file")));
    }
    let key = kind.generate();
    let path = folder
        .directories()
        .create(&kind.file_name(&owner), &key)
        .map_err(taken)?;
    session.note(&format!("generated {}", path_text(&path)));
    let public_key = key.public_key();
    Ok(Answer::new(public_key.clone())
        .field("kind", kind.name())
        .field("public_key", public_key)
        .field("file", path_text(&path)))
}

/// A key that exists is somebody's identity and never replaced.
fn taken(error: archive::Error) -> anyhow::Error {
    match &error {
        archive::Error::Write { path, source }
            if source.kind() == std::io::ErrorKind::AlreadyExists =>
        {
            let failure = Failure::new(
                ErrorKind::Conflict,
                format!("the key {} exists", path_text(path)),
            );
            failure
                .hint("name another one, or another --directory")
                .into()
        }
        _ => error.into(),
    }
}

fn list(folder: &KeyDirectoryArgs) -> Result<Answer> {
    let files = folder.directories().list()?;
    let width = files.iter().map(|file| file.name.len()).max().unwrap_or(0);
    let lines: Vec<String> = files
        .iter()
        .map(|file| {
            let public_key = file.public_key.as_deref().unwrap_or("(not a seed)");
            let path = path_text(&file.path);
            format!(
                "{:width$}  {public_key:56}  {}",
                escape::line(&file.name),
                escape::line(&path)
            )
        })
        .collect();
    let keys: Vec<Value> = files.iter().map(describe).collect();
    Ok(Answer::new(lines.join("\n")).field("keys", keys))
}

fn get(name: &str, folder: &KeyDirectoryArgs) -> Result<Answer> {
    let directories = folder.directories();
    let stem = name.strip_suffix(".nk").unwrap_or(name);
    let found = directories
        .list()?
        .into_iter()
        .find(|file| file.name == stem);
    let Some(file) = found else {
        let folders: Vec<String> = directories
            .directories()
            .iter()
            .map(|folder| path_text(folder))
            .collect();
        bail!(
            Failure::new(
                ErrorKind::NotFound,
                format!("there is no key `{stem}` in {}", folders.join(", "))
            )
            .hint("`par keys list` shows the keys there are")
        );
    };
    match &file.public_key {
        Some(public_key) => Ok(Answer::new(public_key.clone())
            .field("name", file.name.clone())
            .field("public_key", public_key.clone())
            .field("file", path_text(&file.path))),
        None => bail!(Failure::usage(format!(
            "{} does not hold a seed",
            file.path.display()
        ))),
    }
}

fn describe(file: &KeyFile) -> Value {
    let path: &Path = &file.path;
    json!({
        "name": file.name,
        "public_key": file.public_key,
        "file": path_text(path),
    })
}
