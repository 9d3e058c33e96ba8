//! Remembering for a short while that a registry did not answer, so that no other task and process waits for it.
//!
//! This is for references that the cache can resolve too. The note is in the cache, which the processes share.

use crate::content::{StoreError, with_causes};
use crate::oci;

use super::super::blocking::blocking;
use super::super::client::Client;

/// Returns why `registry` did not answer within the last seconds, or `None`.
pub(super) async fn known_no_answer(client: &Client, registry: &str) -> Option<String> {
    let (client, registry) = (client.clone(), registry.to_owned());
    let known = blocking(move || Ok(client.cache()?.no_answer(&registry)));
    known.await.ok().flatten()
}

/// Notes for other tasks and processes whether `registry` has answered. A failure is only logged, so that a read-only
/// cache can be used.
pub(super) async fn note_answer<T: Sync>(
    client: &Client,
    registry: &str,
    answer: &Result<T, StoreError>,
) {
    let reason = match answer {
        Err(error) if is_unanswered(error) => Some(with_causes(error)),
        // A refusal is an answer.
        _ => None,
    };
    let (client, registry) = (client.clone(), registry.to_owned());
    let noted = blocking(move || {
        let cache = client.cache()?;
        match reason {
            Some(reason) => cache.note_no_answer(&registry, &reason)?,
            None => cache.forget_no_answer(&registry)?,
        }
        Ok(())
    });
    if let Err(error) = noted.await {
        let error = with_causes(&error);
        tracing::debug!("cannot note whether the registry answers: {error}");
    }
}

/// Returns whether the registry gave no answer at all: there was no connection, or nothing arrived on it.
fn is_unanswered(error: &StoreError) -> bool {
    error
        .downcast_ref::<oci::Error>()
        .is_some_and(got_no_answer)
}

fn got_no_answer(error: &oci::Error) -> bool {
    use oci::Error::{GaveUp, NoMirrorEither, Stalled, Unreachable};
    match error {
        GaveUp { last, .. } | NoMirrorEither { last, .. } => got_no_answer(last),
        Unreachable { .. } | Stalled { .. } => true,
        _ => false,
    }
}
