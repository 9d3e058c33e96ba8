//! Cancelling uploads that are not completed, so that the registry need not keep their bytes.

use std::time::Duration;

use crate::oci::error::Error;

use super::super::endpoints::Endpoint;
use super::super::http::Request;

/// The longest that cancelling an upload may take.
const LIMIT: Duration = Duration::from_secs(5);

/// Sends the request that cancels an upload. A registry that does not let this client cancel it, as
/// `registry:2` with tokens does without the permission to delete, clears it away later.
pub(super) async fn cancel(endpoint: &Endpoint, request: &Request) {
    // Requests no new token: the upload is not worth that.
    match endpoint.exchange_as_known(request, LIMIT).await {
        Ok(answer) => tracing::debug!(status = %answer.status(), "cancelled an upload"),
        Err(error) => tracing::debug!(%error, "an upload was not cancelled"),
    }
}

/// Returns whether the registry still answers after `error`, so that it can cancel an upload.
pub(super) fn is_worth_trying(error: &Error) -> bool {
    match error {
        Error::GaveUp { last, .. } => is_worth_trying(last),
        Error::Unreachable { .. } | Error::Stalled { .. } | Error::Tls { .. } => false,
        _ => true,
    }
}
