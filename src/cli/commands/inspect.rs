//! `par inspect`

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use bytesize::ByteSize;
use clap::ValueHint;
use serde_json::{Value, json};

use crate::archive::{ExecutableFacts, ExecutableFormat, Linking, Target, print_world};
use crate::cli::arguments::{Argument, RegistryArgs, Shown, Source, validity};
use crate::cli::output::{Answer, Failure, escape, path_text};
use crate::cli::schema::{read_json, violations};
use crate::cli::session::Session;
use crate::cli::threads::{blocking, detached};
use crate::client::Summary;
use crate::content::{ErrorKind, time_text};

/// The longest annotation that is shown in full, in characters. The first [`SHOWN`] characters of a longer one are
/// shown.
const LONGEST: usize = 200;
const SHOWN: usize = 40;
/// How many types of attachments are shown.
const MOST_TYPES: usize = 20;

/// Show the claims and the contents of an archive
///
/// The archive is verified before anything is shown: signature, key types, dates, and the hash of every entry. An
/// archive in a registry is not downloaded if its manifest carries its claims, as `par push` writes it, or if the
/// archive begins with an index. Then the claims and the WIT world are verified, but not the executables, and the
/// output says so (`verified`). The requirements for starting each executable are shown only when the executables were
/// read. An archive that becomes valid later is shown with a warning (`not_yet_valid`).
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  par inspect provider.par.gz
  par inspect ghcr.io/org/provider:1.0.0 -o json
  par inspect provider.par.gz --check-config config.json")]
pub(crate) struct Args {
    /// The archive; `-` reads it from standard input
    #[arg(value_name = "FILE|REF|-", value_hint = ValueHint::FilePath)]
    archive: Argument,
    /// Print only the signed token. Default: its content is shown
    #[arg(long)]
    jwt_only: bool,
    /// Print only the WIT world; with -o json, add it to the rest. Default: it is not shown
    #[arg(long, alias = "world", conflicts_with = "jwt_only")]
    wit: bool,
    /// Check a configuration, a JSON file, against the schema in the archive, and print only the result;
    /// with -o json, add it to the rest. `-` reads the configuration from standard input. Default: nothing
    /// is checked
    #[arg(
        long,
        value_name = "FILE",
        value_hint = ValueHint::FilePath,
        conflicts_with_all = ["jwt_only", "wit"]
    )]
    check_config: Option<PathBuf>,
    #[command(flatten)]
    registry: RegistryArgs,
}

pub(crate) async fn run(args: Args, session: &Session) -> Result<Answer> {
    let source = Source::parse(&args.archive, &args.registry)?;
    let configuration = args.check_config.as_deref();
    if matches!(source, Source::StandardInput) && configuration == Some(Path::new("-")) {
        bail!(Failure::usage(
            "standard input cannot be both the archive and the configuration"
        ));
    }
    let wants_part = args.jwt_only || args.wit || configuration.is_some();
    let shown = source.summarize(args.wit, !wants_part, &args.registry, session);
    let shown = shown.await?;
    let summary = &shown.summary;
    source.warn_of_date(&summary.claims, session);
    if args.jwt_only {
        let token = summary.claims.token();
        return Ok(Answer::new(token).field("token", token));
    }
    if let Some(configuration) = args.check_config {
        return check_config(&source, &shown, configuration).await;
    }
    if !args.wit {
        return Ok(describe(&shown, Answer::lines(table(&shown))));
    }
    let Some(world) = &summary.world else {
        bail!(
            Failure::new(ErrorKind::NotFound, "the archive has no WIT world")
                .hint("add a world with `par create --wit-directory`")
        );
    };
    let wit = print_world(world)?;
    let answer = Answer::new(escape::lines(&wit)).field("wit", wit);
    Ok(describe(&shown, answer))
}

/// Checks a configuration against the schema in the archive.
async fn check_config(source: &Source, shown: &Shown, path: PathBuf) -> Result<Answer> {
    let Some(schema) = shown.summary.claims.metadata().schema else {
        let message = format!("{source} has no schema of a configuration");
        bail!(
            Failure::new(ErrorKind::NotFound, message)
                .hint("add a schema with `par create --schema`")
        );
    };
    let name = path_text(&path);
    let configuration = detached(move || read_json(&path, "configuration")).await?;
    let checked = blocking(move || violations(schema, configuration)).await;
    let (count, first) = checked.with_context(|| {
        let message = format!("cannot use the schema in {source}");
        Failure::new(ErrorKind::NotVerified, message)
    })?;
    if count > 0 {
        let mut message = format!("the configuration {name} does not match the schema in {source}");
        if count > first.len() {
            message += &format!("; the first {} of {count} violations are", first.len());
        }
        bail!(Failure::new(ErrorKind::NotVerified, message).violations(first));
    }
    let text = format!("{name} matches the schema in {source}");
    let answer = describe(shown, Answer::lines([text]));
    Ok(answer.field("violations", json!([])))
}

/// Adds the JSON fields of `wash inspect`, where missing values are `null`, and further fields if they have a
/// value.
fn describe(shown: &Shown, answer: Answer) -> Answer {
    let summary = &shown.summary;
    let metadata = summary.claims.metadata();
    let revision = metadata.revision.map(|number| number.to_string());
    let names = |targets: &[Target]| targets.iter().map(|t| t.as_str()).collect::<Value>();
    let absent = (!summary.absent.is_empty()).then(|| names(&summary.absent));
    let verified = (!summary.everything).then_some("claims");
    let not_before = metadata.not_before.map(time_text);
    let expires = metadata.expires.map(time_text);
    let not_yet_valid = summary.claims.not_yet_valid().is_some();
    let further = [
        ("size", shown.size.map(Value::from)),
        ("absent", absent),
        ("schema", metadata.schema),
        ("not_before", not_before.map(Value::from)),
        ("expires", expires.map(Value::from)),
        ("not_yet_valid", not_yet_valid.then(|| Value::from(true))),
        ("verified", verified.map(Value::from)),
    ];
    let mut answer = answer
        .field("name", metadata.name)
        .field("issuer", summary.claims.issuer().as_str())
        .field("service", summary.claims.subject().as_str())
        .field("vendor", metadata.vendor)
        .field("version", metadata.version)
        .field("revision", revision)
        .field("targets", names(&summary.targets))
        .field("signed", time_text(summary.claims.issued_at()))
        .field("executables", executables(summary));
    if let Some(manifest) = &shown.manifest {
        answer = answer
            .field("digest", manifest.digest.to_string())
            .field("annotations", json!(manifest.annotations))
            .field("attached", attached(shown));
    }
    for (name, value) in further {
        if let Some(value) = value {
            answer = answer.field(name, value);
        }
    }
    answer
}

/// Returns how many artifacts of each type are attached, or `null` if it is not known.
fn attached(shown: &Shown) -> Value {
    let Some(types) = &shown.attached else {
        return Value::Null;
    };
    let types = types.iter();
    let types = types.map(|(name, count)| json!({ "artifact_type": name, "count": count }));
    types.collect()
}

/// Returns the target, the size and the signed hash of each executable.
fn executables(summary: &Summary) -> Value {
    let signed = summary.claims.executables();
    let executable = |target: &Target| {
        json!({
            "target": target.as_str(),
            "size": summary.sizes.get(target),
            "hash": signed.get(target).map(ToString::to_string),
            "facts": summary.facts.get(target).map(facts),
        })
    };
    summary.targets.iter().map(executable).collect()
}

/// Returns what a host must have to start an executable.
fn facts(facts: &ExecutableFacts) -> Value {
    json!({
        "format": facts.format.name(),
        "processors": facts.processors,
        "linking": facts.linking.map(Linking::name),
        "interpreter": facts.interpreter,
        "glibc": facts.glibc,
        "libraries": facts.libraries,
        "macos": facts.macos,
        "signed": facts.signed,
        "debug": facts.debug,
    })
}

/// Returns the lines of `wash inspect`, followed by further lines.
fn table(shown: &Shown) -> Vec<String> {
    let summary = &shown.summary;
    let metadata = summary.claims.metadata();
    let or_none = |text: Option<String>| text.unwrap_or_else(|| "None".to_owned());
    let revision = metadata.revision.map(|number| number.to_string());
    let validity = validity(&metadata);
    let mut lines = vec![
        format!("{} - Capability Provider", or_none(metadata.name)),
        String::new(),
        format!("  Account   {}", summary.claims.issuer().as_str()),
        format!("  Service   {}", summary.claims.subject().as_str()),
        format!("  Vendor    {}", metadata.vendor),
        format!("  Version   {}", or_none(metadata.version)),
        format!("  Revision  {}", or_none(revision)),
        String::new(),
        "  Supported Architecture Targets".to_owned(),
    ];
    let mut add = |line: &str| lines.push(line.to_owned());
    for target in &summary.targets {
        add(&format!("    {target}"));
    }
    for target in &summary.absent {
        add(&format!(
            "    {target} (signed for, but absent from this archive)"
        ));
    }
    if let Some(schema) = &metadata.schema {
        add("");
        add("  Link Definition Schema");
        add(&format!("    {schema}"));
    }
    add("");
    add("  Dates");
    if let Some(validity) = validity {
        add(&format!("    {validity}"));
    }
    let signed = time_text(summary.claims.issued_at());
    add(&format!("    signed on {signed}"));
    add("");
    add("  Executables");
    for line in executable_lines(summary) {
        add(&line);
    }
    for line in start_lines(summary) {
        add(&line);
    }
    for line in content_lines(shown)
        .into_iter()
        .chain(attached_lines(shown))
    {
        add(&line);
    }
    if !summary.everything {
        add("");
        add("  Verified: only the claims; `par verify` verifies the executables too");
    }
    lines
}

/// Returns a line for each executable: its target, its size and its signed hash, in columns.
fn executable_lines(summary: &Summary) -> Vec<String> {
    let signed = summary.claims.executables();
    let row = |target: &Target| {
        let size = summary.sizes.get(target).map(|size| size_text(*size));
        let size = size.unwrap_or_else(|| "-".to_owned());
        let hash = signed.get(target).map(ToString::to_string);
        (target.to_string(), size, hash.unwrap_or_default())
    };
    let rows: Vec<_> = summary.targets.iter().map(row).collect();
    let targets = rows.iter().map(|row| row.0.len()).max().unwrap_or_default();
    let sizes = rows.iter().map(|row| row.1.len()).max().unwrap_or_default();
    let rows = rows.iter();
    let lines =
        rows.map(|(target, size, hash)| format!("    {target:targets$}  {size:>sizes$}  {hash}"));
    lines.collect()
}

/// Returns a line for each executable of a known format: its target, and what a host must have to start it.
fn start_lines(summary: &Summary) -> Vec<String> {
    let known = summary.facts.iter();
    let known = known.filter(|(_, facts)| facts.format != ExecutableFormat::Unknown);
    let rows: Vec<_> = known
        .map(|(target, facts)| (target.to_string(), facts.to_string()))
        .collect();
    if rows.is_empty() {
        return Vec::new();
    }
    let width = rows.iter().map(|row| row.0.len()).max().unwrap_or_default();
    let lines = rows.iter();
    let lines = lines.map(|(target, facts)| format!("    {target:width$}  {facts}"));
    let title = [String::new(), "  Starting".to_owned()];
    title.into_iter().chain(lines).collect()
}

/// Returns the lines about the size of the archive, and its manifest and annotations if it has them.
fn content_lines(shown: &Shown) -> Vec<String> {
    let mut lines = Vec::new();
    let (size, manifest) = (shown.size, shown.manifest.as_ref());
    if size.is_some() || manifest.is_some() {
        lines.extend([String::new(), "  Archive".to_owned()]);
    }
    if let Some(manifest) = manifest {
        lines.push(format!("    manifest {}", manifest.digest));
    }
    if let Some(size) = size {
        lines.push(format!("    size {}", size_text(size)));
    }
    let annotations = manifest.map(|manifest| &manifest.annotations);
    let Some(annotations) = annotations.filter(|annotations| !annotations.is_empty()) else {
        return lines;
    };
    lines.extend([String::new(), "  Annotations".to_owned()]);
    for (key, value) in annotations {
        let length = value.chars().count();
        lines.push(if length > LONGEST {
            let start: String = value.chars().take(SHOWN).collect();
            format!("    {key}: {start}… ({length} characters)")
        } else {
            format!("    {key}: {value}")
        });
    }
    lines
}

/// Returns a line for each type of attachments of the manifest.
fn attached_lines(shown: &Shown) -> Vec<String> {
    let Some(types) = shown.attached.as_ref().filter(|types| !types.is_empty()) else {
        return Vec::new();
    };
    let mut lines = vec![String::new(), "  Attached".to_owned()];
    for (name, count) in types.iter().take(MOST_TYPES) {
        let name: String = name.chars().take(LONGEST).collect();
        lines.push(format!("    {count} {name}"));
    }
    if types.len() > MOST_TYPES {
        lines.push("    and more, which `par discover` lists".to_owned());
    }
    lines
}

fn size_text(bytes: u64) -> String {
    ByteSize(bytes).display().si().to_string()
}

#[cfg(test)]
#[path = "tests/inspect.rs"]
mod tests;
