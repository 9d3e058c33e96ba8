//! `par fetch --locked` without a reference: everything in the lock file.

use anyhow::Result;
use futures_util::{StreamExt, stream};
use serde_json::{Value, json};

use crate::archive::RequestedTarget;
use crate::cli::arguments::LockArgs;
use crate::cli::failures::Failures;
use crate::cli::output::{Answer, path_text};
use crate::cli::session::Session;
use crate::client::{Client, Fetched};
use crate::oci::Reference;

/// How many references are fetched at a time.
const AT_ONCE: usize = 4;

/// Fetches everything in the lock. A failure does not stop the others.
pub(crate) async fn fetch_locked(
    client: &Client,
    lock: &LockArgs,
    references: Vec<Reference>,
    target: &RequestedTarget,
    session: &Session,
) -> Result<Answer> {
    let fetches = references
        .iter()
        .map(|reference| client.fetch_requested(reference, target));
    let fetches = stream::iter(fetches.collect::<Vec<_>>()).buffered(AT_ONCE);
    let fetched: Vec<_> = fetches.collect().await;
    let mut failures = Failures::default();
    let (mut lines, mut objects) = (Vec::new(), Vec::new());
    for (reference, fetched) in references.iter().zip(fetched) {
        match fetched {
            Ok(fetched) => {
                lines.push(format!("{reference} {}", path_text(&fetched.path)));
                objects.push(object(reference, &fetched));
            }
            Err(error) => failures.add(reference.to_string(), &lock.explain(error)),
        }
    }
    let answer = Answer::lines(lines)
        .field("fetched", objects)
        .field("target", target.usual().as_str());
    Ok(failures.end(
        answer,
        session,
        "not everything in the lock file was fetched",
    ))
}

fn object(reference: &Reference, fetched: &Fetched) -> Value {
    json!({
        "reference": reference.to_string(),
        "file": path_text(&fetched.path),
        "digest": fetched.digest.to_string(),
        "cached": fetched.cached,
        "downloaded": fetched.downloaded,
        "issuer": fetched.claims.issuer().as_str(),
        "service": fetched.claims.subject().as_str(),
    })
}
