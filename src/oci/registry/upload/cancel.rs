//! Cancelling incomplete uploads, so that the registry does not have to keep their bytes.

use std::time::Duration;

use crate::oci::error::Error;

use super::super::endpoints::Endpoint;
use super::super::http::Request;

/// How long to wait for the cancellation of an upload.
const LIMIT: Duration = Duration::from_secs(5);

/// Sends the request that cancels an upload. When the registry does not allow this, it removes the upload later. For
/// example, `registry:2` with tokens demands the permission to delete.
pub(super) async fn cancel(endpoint: &Endpoint, request: &Request) {
    // This requests no new token, because cancelling is not worth one.
    match endpoint.exchange_as_known(request, LIMIT).await {
        Ok(answer) => tracing::debug!(status = %answer.status(), "cancelled an upload"),
        Err(error) => tracing::debug!(%error, "an upload was not cancelled"),
    }
}

/// Returns whether the registry probably still answers after `error`, so that it can cancel an upload.
pub(super) fn is_worth_trying(error: &Error) -> bool {
    match error {
        Error::GaveUp { last, .. } => is_worth_trying(last),
        Error::Unreachable { .. } | Error::Stalled { .. } | Error::Tls { .. } => false,
        _ => true,
    }
}
