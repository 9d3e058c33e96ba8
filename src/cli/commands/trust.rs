//! `par trust`

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::File;
use std::io::Read;
use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::{Subcommand, ValueHint};
use serde_json::{Map, Value, json};

use crate::archive;
use crate::cli::arguments::{
    RegistryArgs, TrustArgs, destination, place, refuse_file_in, require_whole_repository,
};
use crate::cli::failures::Failures;
use crate::cli::files::{is_standard_input, standard_input};
use crate::cli::output::{Answer, Failure, Problem, path_text};
use crate::cli::pin_document;
use crate::cli::session::Session;
use crate::cli::threads::{blocking, detached};
use crate::client::{Client, pin_name};
use crate::content::{AtomicFile, ErrorKind, read_bounded};
use crate::oci::{Place, Reference};

use super::trust_check;

/// The largest document with pins that is read, in bytes.
const LIMIT: u64 = 64 * 1024 * 1024;

/// Show, change and move the pins of repositories
///
/// The first `par fetch` from a repository pins it to the issuer and the subject of the archive. From then on, archives
/// with another issuer or subject are refused. Pins are stored in the directory for state. A trust policy can restrict
/// further which archives may be fetched: see docs/trust.md.
#[derive(clap::Args)]
#[command(arg_required_else_help = true)]
#[command(after_help = "\
Examples:
  par trust check ghcr.io/org/provider:2.0.0
  par trust accept ghcr.io/org/provider:2.0.0
  par trust export --destination pins.json
  par trust forget ghcr.io/org/provider")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// List the pinned repositories with issuer, subject and date
    #[command(after_help = "Examples:\n  par trust list -o json")]
    List,
    /// Print whether an archive may be fetched, and the reasons: rule, pin, lock entry and signature
    ///
    /// The archive is not downloaded if its manifest or its start has the claims. Nothing is pinned. The exit code is 0
    /// if `par fetch` with the same options accepts the archive, and 5 if it refuses it.
    #[command(after_help = "\
Examples:
  par trust check ghcr.io/org/provider:2.0.0
  par trust check ghcr.io/org/provider:2.0.0 --lock-file par.lock -o json")]
    Check(Box<trust_check::Args>),
    /// Verify archives, and pin the repository of each to its issuer, its subject and its revision
    ///
    /// The issuer and the subject may differ from the present pin, and the revision may be lower. A failure does not
    /// stop the others. The exit code is 5 if an archive is refused, else the exit code of the first failure.
    #[command(after_help = "\
Examples:
  par trust accept ghcr.io/org/provider:2.0.0
  par trust accept ghcr.io/org/http:1.2.0 ghcr.io/org/redis:3.0.1")]
    Accept(Box<AcceptArgs>),
    /// Write all pins as a JSON document, for another machine
    #[command(after_help = "\
Examples:
  par trust export --destination pins.json
  par trust export | ssh host par trust import -")]
    Export {
        /// Write the document to this file. Default: it is printed
        #[arg(
            long,
            value_name = "FILE",
            value_hint = ValueHint::FilePath,
            value_parser = destination()
        )]
        destination: Option<PathBuf>,
    },
    /// Add the pins of a document that `par trust export` has written
    ///
    /// If both have a pin of a repository to the same publisher, the pins become one, with the highest revision of each
    /// tag.
    #[command(after_help = "\
Examples:
  par trust import pins.json
  par trust import pins.json --replace")]
    Import {
        /// The document; `-` is standard input
        #[arg(value_name = "FILE|-", value_hint = ValueHint::FilePath)]
        file: PathBuf,
        /// Replace pins to other publishers. Default: they are listed, and nothing is imported
        #[arg(long)]
        replace: bool,
    },
    /// Remove the pin of a repository: the next fetch pins it again
    #[command(after_help = "Examples:\n  par trust forget ghcr.io/org/provider")]
    Forget {
        /// The repository, such as ghcr.io/org/provider
        #[arg(value_name = "REGISTRY/REPOSITORY", value_parser = place)]
        place: Place,
    },
}

#[derive(clap::Args)]
struct AcceptArgs {
    /// The archives to accept
    #[arg(required = true, value_name = "REF")]
    references: Vec<OsString>,
    #[command(flatten)]
    trust: TrustArgs,
    #[command(flatten)]
    registry: RegistryArgs,
}

pub(crate) async fn run(args: Args, session: &Session) -> Result<Answer> {
    match args.command {
        Command::List => list(session).await,
        Command::Check(args) => trust_check::run(*args, session).await,
        Command::Accept(args) => accept(*args, session).await,
        Command::Export { destination } => export(destination, session).await,
        Command::Import { file, replace } => import(file, replace, session).await,
        Command::Forget { place } => forget(place, session).await,
    }
}

async fn list(session: &Session) -> Result<Answer> {
    let opening = session.clone();
    let pins = blocking(move || {
        let state = opening.state()?;
        if let Some(directory) = state.directory().filter(|directory| !directory.exists()) {
            opening.note(&format!("there are no pins in {}", directory.display()));
        }
        Ok(state.each_pin()?)
    });
    let mut failures = Failures::default();
    let (mut lines, mut fields) = (Vec::new(), Vec::new());
    for (place, pin) in pins.await? {
        let pin = match pin {
            Ok(pin) => pin,
            Err(error) => {
                failures.add(place, &error.into());
                continue;
            }
        };
        let (issuer, subject) = (&pin.issuer, &pin.subject);
        let mut line = format!("{place}  {issuer}  {subject}  since {}", pin.date());
        for (former, state) in &pin.former {
            let word = if state.retired { "retired" } else { "also" };
            line.push_str(&format!("  {word} {former}"));
        }
        lines.push(line);
        fields.push(json!({
            "repository": place,
            "issuer": issuer,
            "service": subject,
            "since": pin.date(),
            "revisions": pin.revisions,
            "former": pin.former,
        }));
    }
    let answer = Answer::lines(lines).field("identities", fields);
    Ok(failures.end(answer, session, "not all pins can be read"))
}

async fn accept(mut args: AcceptArgs, session: &Session) -> Result<Answer> {
    let mut references = Vec::new();
    for reference in &args.references {
        references.push(args.registry.reference(reference, false)?);
    }
    args.registry.share(&references, session)?;
    let policy = args.trust.policy().await?;
    let client = args.registry.client(session, policy).await?;
    if let [reference] = references.as_slice() {
        let (line, fields) = accept_one(&client, reference).await?;
        let answer = Answer::lines([line]);
        let single = ["issuer", "service", "revision"].into_iter();
        let answer = single.fold(answer, |answer, name| {
            answer.field(name, fields.get(name).cloned().unwrap_or_default())
        });
        return Ok(answer
            .field("accepted", vec![Value::Object(fields)])
            .field("failed", Value::Array(Vec::new())));
    }
    let (mut lines, mut accepted, mut failed) = (Vec::new(), Vec::new(), Vec::new());
    let mut failures = Failures::default();
    let mut publishers: BTreeMap<String, [Value; 2]> = BTreeMap::new();
    for reference in &references {
        match accept_one(&client, reference).await {
            Ok((line, fields)) => {
                lines.push(line);
                let publisher =
                    ["issuer", "service"].map(|name| fields.get(name).cloned().unwrap_or_default());
                if let Reference::Registry(place) = reference {
                    let place = pin_name(place);
                    let before = publishers.insert(place.clone(), publisher.clone());
                    if before.is_some_and(|before| before != publisher) {
                        session.warn(&format!(
                            "{place} is pinned to the publisher of {reference} alone: another one was accepted \
                             before"
                        ));
                    }
                }
                accepted.push(Value::Object(fields));
            }
            Err(error) => {
                let error = error.context(format!("cannot accept {reference}"));
                let problem = Problem::of(&error);
                failed.push(json!({
                    "reference": reference.to_string(),
                    "error": {
                        "kind": problem.kind,
                        "message": problem.message,
                        "hint": problem.hint,
                    },
                }));
                failures.add(reference.to_string(), &error);
            }
        }
    }
    let (refused, all) = (failed.len(), references.len());
    let summary = format!("{refused} of {all} archives are not accepted");
    let answer = Answer::lines(lines)
        .field("accepted", accepted)
        .field("failed", failed);
    Ok(answer.failing(failures.report(session, &summary)))
}

/// Accepts one archive. Returns the line and the fields for the answer.
async fn accept_one(
    client: &Client,
    reference: &Reference,
) -> Result<(String, Map<String, Value>)> {
    let claims = client.accept(reference).await?;
    let (issuer, subject) = (claims.issuer().as_str(), claims.subject().as_str());
    let line = format!("{reference} is accepted: issuer {issuer}, subject {subject}");
    let fields = [
        ("reference", reference.to_string().into()),
        ("issuer", issuer.into()),
        ("service", subject.into()),
        ("revision", claims.revision().into()),
    ];
    let fields = fields.map(|(name, value)| (name.to_owned(), value));
    Ok((line, fields.into_iter().collect()))
}

async fn export(destination: Option<PathBuf>, session: &Session) -> Result<Answer> {
    let session = session.clone();
    blocking(move || {
        let state = session.state()?;
        if let (Some(path), Some(directory)) = (&destination, state.directory()) {
            refuse_file_in(path, directory, "a file of the state, which has the pins")?;
        }
        let pins = state.pins()?;
        let fields = pin_document::fields(&pins);
        let document: Map<String, Value> = fields
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.clone()))
            .collect();
        let text = format!("{:#}\n", Value::Object(document));
        let answer = match destination {
            Some(path) => {
                // Other users of this machine must not learn which publishers it trusts.
                let file = AtomicFile::create_private(&path);
                let written = file.and_then(|file| file.commit_with(text.as_bytes()));
                written.map_err(|source| archive::Error::Write {
                    path: path.clone(),
                    source,
                })?;
                Answer::file(&path)
            }
            None => Answer::new(text),
        };
        let fields = fields.into_iter();
        Ok(fields.fold(answer, |answer, (name, value)| answer.field(name, value)))
    })
    .await
}

async fn import(file: PathBuf, replace: bool, session: &Session) -> Result<Answer> {
    let is_piped = is_standard_input(&file);
    let name = if is_piped {
        "standard input".to_owned()
    } else {
        path_text(&file)
    };
    let text = if is_piped {
        let input = standard_input("the pins")?;
        detached(move || Ok(read_bounded(input.lock(), LIMIT)?)).await
    } else {
        // The path may be that of a pipe.
        let path = file.clone();
        detached(move || {
            let file = File::open(&path).map(|file| file.take(LIMIT + 1));
            let text = file.and_then(|file| read_bounded(file, LIMIT));
            Ok(text.map_err(|source| archive::Error::Read { path, source })?)
        })
        .await
    };
    let text = text?;
    let pins = pin_document::read(&text).map_err(|reason| {
        Failure::usage(format!("{name} is not a document with pins: {reason}"))
            .hint("write one with `par trust export`")
    })?;
    let (count, session) = (pins.len(), session.clone());
    blocking(move || {
        let state = session.state()?;
        let import = state.prepare_import(pins, replace)?;
        // Either all pins are imported or none.
        session.interruption().begin_last_step()?;
        let changed = import.write()?;
        session.note(&format!(
            "pins that are new or have changed: {}, there already: {}",
            changed.len(),
            count.saturating_sub(changed.len())
        ));
        let lines = changed.iter().map(|place| format!("{place} is pinned"));
        Ok(Answer::lines(lines)
            .field("pins", count)
            .field("changed", changed.clone()))
    })
    .await
}

async fn forget(place: Place, session: &Session) -> Result<Answer> {
    let repository = require_whole_repository(&place, "and only repositories are pinned")?;
    let (name, session) = (pin_name(repository), session.clone());
    blocking(move || {
        if !session.state()?.forget_pin(&name)? {
            bail!(
                Failure::new(ErrorKind::NotFound, format!("{name} is not pinned"))
                    .hint("list the pinned repositories with `par trust list`")
            );
        }
        let text = format!("{name} is no longer pinned");
        Ok(Answer::new(text).field("repository", name))
    })
    .await
}
