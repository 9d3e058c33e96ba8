//! Checks JSON schemas of configurations, and configurations against them.
//!
//! A schema comes from the publisher of an archive and is not trusted. Its draft is the one that `$schema`
//! names, else 2020-12. References to other documents are never fetched, and the cost of a check is bounded.

use std::fmt;
use std::path::Path;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use jsonschema::{ValidationError, Validator};
use serde_json::Value;

use crate::cli::files;
use crate::cli::output::{Failure, Violation, path_text};

/// The largest schema that is packed, in bytes without white space. Readers limit the token with the schema to
/// 1 MiB, and base64 makes the schema a third longer.
const PACKED_LIMIT: usize = 512 << 10;

/// How long a check may take. A short schema can demand an astronomical number of steps.
const TIME_LIMIT: Duration = Duration::from_secs(5);

/// The stack for a check, in bytes, for schemas with long chains of references. The memory is only reserved.
const STACK: usize = 512 << 20;

/// The largest number of violations that are printed.
const VIOLATION_LIMIT: usize = 100;

/// The longest reason of a violation, in characters: schemas may contain long values.
const REASON_LIMIT: usize = 500;

/// Reads a schema to pack, and checks that it is a JSON schema.
pub(crate) fn read_schema(path: &Path) -> Result<Value> {
    let schema = read_json(path, "schema")?;
    let name = path_text(path);
    let text = schema.to_string();
    if text.len() > PACKED_LIMIT {
        bail!(Failure::usage(format!(
            "the schema {name} is too large for the claims that carry it: more than {PACKED_LIMIT} bytes"
        )));
    }
    // In the claims, the schema has two levels above it. Readers of claims accept as many levels as this parser does.
    serde_json::from_str::<Value>(&format!("[[{text}]]")).with_context(|| {
        Failure::usage(format!(
            "the schema {name} is nested too deeply for the claims that carry it"
        ))
    })?;
    let checked = schema.clone();
    bounded(move || compile(&checked).map(drop))
        .with_context(|| Failure::usage(format!("cannot use the schema {name}")))?;
    Ok(schema)
}

/// Reads a small JSON file, or standard input if `path` is `-`. `what` names the file in errors.
pub(crate) fn read_json(path: &Path, what: &str) -> Result<Value> {
    let name = format!("the {what} {}", path_text(path));
    let bytes = files::read_small(path, &name)?;
    serde_json::from_slice(&bytes).with_context(|| Failure::usage(format!("{name} is not JSON")))
}

/// Returns the number of violations of the schema in a configuration, and the first of them.
pub(crate) fn violations(schema: Value, configuration: Value) -> Result<(usize, Vec<Violation>)> {
    bounded(move || {
        let validator = compile(&schema)?;
        let mut errors = validator.iter_errors(&configuration);
        let listed = errors.by_ref().take(VIOLATION_LIMIT);
        let first: Vec<_> = listed
            .map(|error| violation(&error, &error.masked()))
            .collect();
        Ok((first.len() + errors.count(), first))
    })
}

fn compile(schema: &Value) -> Result<Validator> {
    let compiled = jsonschema::options().offline().build(schema);
    compiled.map_err(|error| anyhow!("not a JSON schema: {}", violation(&error, &error)))
}

fn violation(error: &ValidationError<'_>, reason: &dyn fmt::Display) -> Violation {
    let mut reason = reason.to_string();
    if let Some((end, _)) = reason.char_indices().nth(REASON_LIMIT) {
        reason.truncate(end);
        reason.push('…');
    }
    Violation {
        pointer: error.instance_path().as_str().to_owned(),
        reason,
    }
}

/// Runs a check on a thread with a large stack, and waits for it up to [`TIME_LIMIT`]. A check that takes longer
/// continues until the process ends, soon after.
fn bounded<T: Send + 'static>(check: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    let (sender, receiver) = mpsc::sync_channel(1);
    thread::Builder::new()
        .name("schema".to_owned())
        .stack_size(STACK)
        .spawn(move || {
            // After the time limit, the receiver is gone.
            let _ = sender.send(check());
        })
        .context("the check failed")?;
    match receiver.recv_timeout(TIME_LIMIT) {
        Ok(outcome) => outcome,
        Err(mpsc::RecvTimeoutError::Timeout) => {
            bail!(
                "the check takes longer than {} seconds",
                TIME_LIMIT.as_secs()
            )
        }
        Err(mpsc::RecvTimeoutError::Disconnected) => bail!("the check failed: the thread panicked"),
    }
}
