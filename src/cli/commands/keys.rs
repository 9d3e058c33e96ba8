//! `par keys`

use anyhow::{Result, bail};
use clap::{Subcommand, ValueEnum};
use serde_json::{Value, json};

use crate::archive::{self, Key, KeyFile, KeyKind, may_hold_seed};
use crate::cli::arguments::{KeyDirectoryArgs, default_account, is_file_stem};
use crate::cli::output::{Answer, Failure, path_text};
use crate::cli::session::Session;
use crate::cli::threads::blocking;
use crate::content::ErrorKind;

use super::{named_key, rotation};

/// Generate and list the keys that sign archives
///
/// A key is a seed in a file with the extension `.nk`, in the directories that `wash` uses too. Seeds are
/// secrets: no command prints them.
#[derive(clap::Args)]
#[command(arg_required_else_help = true)]
#[command(after_help = "\
Examples:
  par keys gen account
  par keys gen service keyvalue
  par keys rotate --from old_account --to ACGZ… --provider keyvalue_service
  par keys list")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Generate a key, write it to a new file, and print its public key
    #[command(after_help = "Examples:\n  par keys gen account\n  par keys gen service keyvalue")]
    Gen {
        /// The kind of the key
        kind: Kind,
        /// The name of the file: `NAME_account.nk` or `NAME_service.nk`. Default for an account: `$USER`. For a
        /// service, give the name of the provider's binary: `par create` looks for a key with this name
        name: Option<String>,
        #[command(flatten)]
        directories: KeyDirectoryArgs,
    },
    /// List the keys in the directories for keys
    #[command(after_help = "Examples:\n  par keys list")]
    List {
        #[command(flatten)]
        directories: KeyDirectoryArgs,
    },
    /// Print the public key of a key file
    #[command(after_help = "\
Examples:
  par keys get keyvalue_service
  par keys get ~/.wash/keys/team_account.nk")]
    Get {
        /// The key: a name that was given to `par keys gen` or that `par keys list` prints, or the path of the file
        #[arg(value_name = "NAME|PATH")]
        name: String,
        #[command(flatten)]
        directories: KeyDirectoryArgs,
    },
    /// Sign a statement that another account publishes a provider from now on
    ///
    /// `par push --rotation FILE` puts the statement on the manifest of an archive that the new account has signed.
    /// A host that has pinned the old account then accepts the new one, and pins both.
    #[command(after_help = "\
Examples:
  par keys rotate --from jane_account --to team_account --provider keyvalue_service --destination rotation.jwt
  par keys rotate --from old.nk --to ACGZ… --provider VAG3… --retire")]
    Rotate(Box<rotation::Args>),
}

#[derive(Clone, Copy, ValueEnum)]
enum Kind {
    /// The issuer, which identifies the publisher
    Account,
    /// The subject, which identifies the provider
    Service,
}

pub(crate) async fn run(args: Args, session: &Session) -> Result<Answer> {
    match args.command {
        Command::Gen {
            kind,
            name,
            directories,
        } => {
            let session = session.clone();
            blocking(move || generate(kind, name, &directories, &session)).await
        }
        Command::List { directories } => blocking(move || list(&directories)).await,
        Command::Get { name, directories } => blocking(move || get(&name, &directories)).await,
        Command::Rotate(args) => rotation::rotate(*args).await,
    }
}

fn generate(
    kind: Kind,
    name: Option<String>,
    directories: &KeyDirectoryArgs,
    session: &Session,
) -> Result<Answer> {
    let (kind, owner) = match (kind, name) {
        (Kind::Account, name) => (KeyKind::Account, name.unwrap_or_else(default_account)),
        (Kind::Service, Some(name)) => (KeyKind::Service, name),
        (Kind::Service, None) => bail!(
            Failure::usage("the name of the service key is missing")
                .hint("give the name of the provider's binary: `par keys gen service NAME`")
        ),
    };
    if may_hold_seed(&owner) {
        // The name becomes the name of a file, which is not secret.
        let message = "the name of the new key looks like a seed";
        bail!(
            Failure::usage(message).hint("give a short name, such as `par keys gen account NAME`")
        );
    }
    if !is_file_stem(&owner) {
        let message = format!("`{owner}` cannot be part of a file name");
        bail!(Failure::usage(message));
    }
    let key = Key::generate(kind);
    let created = directories
        .directories()
        .create(&kind.file_name(&owner), &key);
    let path = match created {
        // A key is an identity and never replaced.
        Err(archive::Error::Write { path, source })
            if source.kind() == std::io::ErrorKind::AlreadyExists =>
        {
            let message = format!("the key {} exists already", path_text(&path));
            bail!(
                Failure::new(ErrorKind::Conflict, message)
                    .hint("give another name, or another --directory")
            );
        }
        other => other?,
    };
    session.note(&format!("generated {}", path_text(&path)));
    let public_key = key.public_key();
    Ok(Answer::new(public_key.as_str())
        .field("kind", kind.name())
        .field("public_key", public_key)
        .field("file", path_text(&path)))
}

fn list(directories: &KeyDirectoryArgs) -> Result<Answer> {
    let files = directories.directories().list()?;
    let width = files.iter().map(|file| file.name.len()).max().unwrap_or(0);
    let lines = files.iter().map(|file| {
        let public_key = file.public_key.as_deref().unwrap_or("(not a seed)");
        format!(
            "{:width$}  {public_key:56}  {}",
            file.name,
            file.path.display()
        )
    });
    let keys: Value = files.iter().map(describe).collect();
    Ok(Answer::lines(lines).field("keys", keys))
}

fn get(name: &str, directories: &KeyDirectoryArgs) -> Result<Answer> {
    let file = named_key::key_file(name, directories)?;
    let path = path_text(&file.path);
    let Some(public_key) = file.public_key else {
        bail!(Failure::usage(format!("{path} does not hold a seed")));
    };
    Ok(Answer::new(public_key.as_str())
        .field("name", file.name)
        .field("public_key", public_key)
        .field("file", path))
}

fn describe(file: &KeyFile) -> Value {
    json!({
        "name": file.name,
        "public_key": file.public_key,
        "file": path_text(&file.path),
    })
}
