//! `par keys rotate`: statements by which one account hands over to another.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Context, Result, bail};
use clap::ValueHint;

use crate::archive::{Issuer, KeyKind, KeyOrigin, Rotation, Subject, from_unix, to_unix};
use crate::cli::arguments::{KeyDirectoryArgs, destination, refuse_inputs};
use crate::cli::files;
use crate::cli::output::{Answer, Failure, path_text};
use crate::cli::threads::{blocking, detached};
use crate::content::{AtomicFile, rfc3339};

use super::named_key;

/// No `Debug`: the options may be seeds.
#[derive(clap::Args)]
pub(super) struct Args {
    /// The key of the account that hands over: a name that was given to `par keys gen` or that `par keys list` prints,
    /// a seed (SA…), a file or a pipe with one, or `-` for standard input
    #[arg(long, value_name = "NAME|SEED|PATH|-")]
    from: String,
    /// The account that publishes from now on: its public key (A…), or its key as for --from
    #[arg(long, value_name = "KEY|NAME|SEED|PATH")]
    to: String,
    /// A provider that is handed over: its public key (V…), or its key as for --from. May be given several times
    #[arg(
        short = 's',
        long = "provider",
        visible_alias = "subject",
        required = true,
        value_name = "KEY|NAME|SEED|PATH"
    )]
    providers: Vec<String>,
    /// Accept the old account only for archives that a host has used already. Default: both accounts may publish
    #[arg(long)]
    retire: bool,
    /// Write the statement to this file. Default: it is printed
    #[arg(
        long,
        value_name = "FILE",
        value_hint = ValueHint::FilePath,
        value_parser = destination()
    )]
    destination: Option<PathBuf>,
    #[command(flatten)]
    directories: KeyDirectoryArgs,
}

/// Signs a statement, and writes it to a file or prints it.
pub(super) async fn rotate(args: Args) -> Result<Answer> {
    let destination = args.destination.clone();
    // The keys may come from standard input or a pipe.
    let statement = detached(move || sign(&args)).await?;
    blocking(move || {
        let answer = match &destination {
            Some(path) => {
                write(path, statement.token())?;
                Answer::file(path)
            }
            None => Answer::new(statement.token()),
        };
        let providers = statement.providers().iter().map(Subject::as_str);
        Ok(answer
            .field("rotation", statement.token())
            .field("from", statement.from().as_str())
            .field("to", statement.to().as_str())
            .field("providers", providers.collect::<Vec<_>>())
            .field("retire", statement.retires())
            .field("date", rfc3339(to_unix(statement.date()))))
    })
    .await
}

/// Reads the keys, and signs the statement. Blocks.
fn sign(args: &Args) -> Result<Rotation> {
    let directories = &args.directories;
    let given = [&args.from, &args.to].into_iter().chain(&args.providers);
    if given.filter(|key| key.trim() == "-").count() > 1 {
        let message = "several keys are to be read from standard input, which holds one";
        bail!(Failure::usage(message).hint("name the other keys by their files"));
    }
    let account = KeyKind::Account;
    let mut origins = Vec::new();
    let from = named_key::read(&args.from, account, directories, |key| key.read(account))?;
    origins.push(from.1);
    let to: Issuer = public_key(&args.to, account, directories, &mut origins)?.parse()?;
    let mut providers: Vec<Subject> = Vec::new();
    for provider in &args.providers {
        let service = KeyKind::Service;
        let provider: Subject =
            public_key(provider, service, directories, &mut origins)?.parse()?;
        if !providers.contains(&provider) {
            providers.push(provider);
        }
    }
    if let Some(destination) = &args.destination {
        let files = origins.iter().filter_map(KeyOrigin::file);
        refuse_inputs(
            destination,
            files.map(|path| ("the file of a key", path.to_owned())),
        )?;
    }
    // The token has whole seconds.
    let date = from_unix(to_unix(SystemTime::now()));
    Ok(Rotation::sign(&from.0, &to, &providers, args.retire, date)?)
}

fn write(path: &Path, token: &str) -> Result<()> {
    let file = AtomicFile::create(path);
    let written = file.and_then(|file| file.commit_with(format!("{token}\n").as_bytes()));
    written.with_context(|| format!("cannot write the rotation statement {}", path_text(path)))
}

/// Reads a rotation statement from a file, or from standard input.
pub(super) async fn read(path: PathBuf) -> Result<Rotation> {
    detached(move || {
        let text = files::read_small(&path, "the rotation statement")?;
        let statement = Rotation::verify(&String::from_utf8_lossy(&text));
        statement.with_context(|| format!("cannot use {}", path_text(&path)))
    })
    .await
}

/// Returns a public key that is given itself, or by its key. Adds the origin of the key to `origins`.
fn public_key(
    given: &str,
    kind: KeyKind,
    directories: &KeyDirectoryArgs,
    origins: &mut Vec<KeyOrigin>,
) -> Result<String> {
    let key = named_key::read(given, kind, directories, |key| key.read_public_key(kind))?;
    origins.push(key.1);
    Ok(key.0)
}
