//! `par sbom`

use std::collections::BTreeSet;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::{ValueEnum, ValueHint};
use serde_json::{Value, json};

use crate::archive::{
    self, Materials, MaterialsError, RequestedTarget, Target, from_unix, read_materials,
};
use crate::cli::arguments::{
    Argument, RegistryArgs, Source, Unpacked, created_at, destination, refuse_inputs,
};
use crate::cli::bill::{Bill, cyclonedx, spdx};
use crate::cli::output::{Answer, Failure, escape};
use crate::cli::session::Session;
use crate::cli::threads::blocking;
use crate::client::{Attachment, TrustPolicy};
use crate::content::{AtomicFile, ErrorKind, time_text};

use super::attach;

/// Print the bill of materials of an archive: the packages that its executables were compiled from
///
/// `cargo auditable` and Go record the packages inside the executables, for every target, so neither the source nor a
/// compiler is needed. The whole archive is verified first. The document has an application for each target, and lists
/// the targets of each package. There is a warning about an executable without a record. If no executable has a record,
/// there is no document.
///
/// Repeating the command gives the same document.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  par sbom provider.par.gz --destination provider.cdx.json
  par sbom ghcr.io/org/provider:1.0.0 --format spdx
  par sbom ghcr.io/org/provider:1.0.0 --attach
  par sbom provider.par.gz --target x86_64-linux --target aarch64-linux")]
pub(crate) struct Args {
    /// The archive; `-` reads it from standard input
    #[arg(value_name = "FILE|REF|-", value_hint = ValueHint::FilePath)]
    archive: Argument,
    /// A target whose executable is read. May be given several times. Default: all targets of the archive
    #[arg(long = "target", value_name = "TARGET")]
    targets: Vec<RequestedTarget>,
    /// The format of the document
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    format: BillFormat,
    /// The file to write; an existing file is replaced. Default: the document is printed
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, value_parser = destination())]
    destination: Option<PathBuf>,
    /// The time of the document, in seconds since 1970. Default: the time when the archive was signed
    #[arg(long, env = "SOURCE_DATE_EPOCH", value_name = "SECONDS")]
    created: Option<String>,
    /// Attach the document to the archive in the registry, as `par attach` does, and print the reference of the attachment by
    /// digest. Default: it is not attached
    #[arg(long)]
    attach: bool,
    #[command(flatten)]
    registry: RegistryArgs,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum BillFormat {
    /// CycloneDX 1.6, as JSON
    #[default]
    Cyclonedx,
    /// SPDX 2.3, as JSON
    Spdx,
}

impl BillFormat {
    fn name(self) -> &'static str {
        match self {
            Self::Cyclonedx => "cyclonedx",
            Self::Spdx => "spdx",
        }
    }

    /// The type of an attachment with the document.
    fn media_type(self) -> &'static str {
        match self {
            Self::Cyclonedx => "application/vnd.cyclonedx+json",
            Self::Spdx => "application/spdx+json",
        }
    }

    /// Returns the extension of a file with the document.
    fn extension(self) -> &'static str {
        match self {
            Self::Cyclonedx => "cdx.json",
            Self::Spdx => "spdx.json",
        }
    }

    fn document(self, bill: &Bill) -> Value {
        match self {
            Self::Cyclonedx => cyclonedx(bill),
            Self::Spdx => spdx(bill),
        }
    }
}

pub(crate) async fn run(args: Args, session: &Session) -> Result<Answer> {
    let source = Source::parse(&args.archive, &args.registry)?;
    if let Some(destination) = &args.destination {
        source.refuse_as_destination(destination)?;
        refuse_inputs(destination, args.registry.inputs())?;
    }
    if args.attach && source.reference().is_none() {
        bail!(
            Failure::usage(format!("{source} is not in a registry, so nothing can be attached to it")).hint(
                "push it first, and give its reference, or attach a document with `par push REF FILE --attach FILE=TYPE`"
            )
        );
    }
    let created = created_at(args.created.as_deref(), "the document")?.map(from_unix);
    let selected = args.targets.first().map(RequestedTarget::usual);
    let selected = selected.cloned().unwrap_or_else(Target::host);
    let unpacked = Unpacked::new(&source, &selected, &args.registry, session).await?;
    let claims = &unpacked.contents.claims;
    source.warn_of_date(claims, session);
    let asked = args.targets.iter();
    let asked: BTreeSet<_> = asked
        .map(|wanted| wanted.among(claims.executables()))
        .collect();
    for target in &asked {
        let there = unpacked.contents.require(target);
        there.with_context(|| format!("cannot read the executables of {source}"))?;
    }

    let mut bill = Bill::new(
        claims,
        time_text(created.unwrap_or_else(|| claims.issued_at())),
    );
    let (mut targets, mut without) = (Vec::new(), Vec::new());
    for (target, file) in &unpacked.files {
        if !asked.is_empty() && !asked.contains(target) {
            continue;
        }
        let found = materials(file.clone())
            .await
            .with_context(|| format!("cannot read the executable for {target} in {source}"))?;
        if found.is_empty() {
            without.push(target.as_str());
            session.warn(&format!(
                "the executable for {target} says nothing about its packages: it was built neither with \
                 `cargo auditable` nor by Go"
            ));
        }
        targets.push(target.as_str());
        bill.add(target, claims.executable(target).ok().cloned(), found);
    }
    if without.len() == targets.len() {
        let message = format!("no executable of {source} says which packages it was compiled from");
        bail!(Failure::new(ErrorKind::NotFound, message).hint(
            "build Rust with `cargo auditable build --release` (`cargo install cargo-auditable`), and Go with modules"
        ));
    }

    let document = args.format.document(&bill);
    let text = format!("{}\n", pretty(&document)?);
    let mut attached: Option<(String, Value)> = None;
    if let (true, Some(reference), Some(digest)) =
        (args.attach, source.reference(), &unpacked.digest)
    {
        // The document is about the manifest with this digest. The tag may have moved since.
        let reference = reference.with_digest(digest.clone());
        let title = format!("{}.{}", source.stem(), args.format.extension());
        let attachment = Attachment::bytes(text.clone(), args.format.media_type())
            .title(title)
            .created(created.unwrap_or_else(|| claims.issued_at()));
        let client = args.registry.client(session, TrustPolicy::anyone()).await?;
        let made = client.attach(&reference, &attachment).await?;
        attach::tell(&made, false, session);
        let pinned = reference.pinned(&made.digest);
        attached = Some((pinned, attach::to_json(&reference, &made)));
    }
    let mut answer = match args.destination {
        Some(destination) => {
            let answer = Answer::file(&destination);
            blocking(move || write(&destination, &text)).await?;
            answer
        }
        None => Answer::new(text).field("document", document),
    };
    if let Some((pinned, attached)) = attached {
        answer.text = escape::line(&pinned).into_bytes();
        answer = answer.field("attached", attached);
    }
    let digest = unpacked.digest.as_ref().map(ToString::to_string);
    Ok(answer
        .field("format", args.format.name())
        .field("packages", bill.packages())
        .field("targets", json!(targets))
        .field("without", json!(without))
        .field("digest", digest))
}

/// Reads what the compiler recorded in an executable.
async fn materials(path: PathBuf) -> Result<Vec<Materials>> {
    let read = move || {
        let mut file = File::open(path).map_err(MaterialsError::Read)?;
        Ok(read_materials(&mut file))
    };
    match blocking(read).await? {
        Ok(found) => Ok(found),
        Err(error @ MaterialsError::Read(_)) => Err(error.into()),
        Err(error) => {
            let message =
                "the record of its packages, which the compiler has written, cannot be read";
            Err(anyhow::Error::new(error).context(Failure::new(ErrorKind::NotVerified, message)))
        }
    }
}

/// Returns the text of a document. Characters that are dangerous on a terminal are replaced by JSON escapes with the
/// same meaning.
fn pretty(document: &Value) -> Result<String> {
    let text = serde_json::to_string_pretty(document)?;
    let lines: Vec<String> = text.lines().map(escape::json).collect();
    Ok(lines.join("\n"))
}

fn write(path: &Path, text: &str) -> Result<()> {
    let written = AtomicFile::create(path).and_then(|file| file.commit_with(text.as_bytes()));
    written.map_err(|source: io::Error| archive::Error::Write {
        path: path.to_owned(),
        source,
    })?;
    Ok(())
}
