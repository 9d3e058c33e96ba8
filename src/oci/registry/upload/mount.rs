//! Mounting: the registry takes a blob from another of its repositories.

use std::time::Duration;

use reqwest::StatusCode;

use crate::content::Descriptor;
use crate::oci::error::Error;

use super::super::http::{Payload, Scope};
use super::super::repository_endpoint::RepositoryEndpoint;
use super::session::{Session, opening_request};
use super::stored::compare_stored;

/// How long to wait for a mount. After that, the blob is sent instead.
const LIMIT: Duration = Duration::from_secs(10);

/// The result of a request to mount a blob.
pub(super) enum Mounted {
    /// The registry has the blob now.
    Yes,
    /// The registry has opened an upload instead (OCI distribution specification, "Mounting a blob from another
    /// repository").
    Opened(Session),
    /// The mount failed, so the blob has to be sent.
    No,
}

/// Asks the registry once to take a blob from its repository `from`.
///
/// A mount only saves time, so a failure is not an error. Registries that do not support mounts answer with 400, 404,
/// 405, 500 or 502. Some answer with 201 although they do not have the blob.
pub(super) async fn mount(
    repository: &RepositoryEndpoint,
    content: &Descriptor,
    from: &str,
) -> Mounted {
    match try_to_mount(repository, content, from).await {
        Ok(mounted) => mounted,
        Err(error) => {
            tracing::info!("{error}; sending the blob instead of mounting it from {from}");
            Mounted::No
        }
    }
}

async fn try_to_mount(
    repository: &RepositoryEndpoint,
    content: &Descriptor,
    from: &str,
) -> Result<Mounted, Error> {
    let what = format!("blob {}", content.digest);
    let mut request = opening_request(repository, &what)?;
    request
        .url
        .query_pairs_mut()
        .append_pair("mount", &content.digest.to_string())
        .append_pair("from", from);
    let endpoint = &repository.endpoint;
    let limit = endpoint.attempts().stall_timeout().min(LIMIT);
    let sent = endpoint.exchange_once(&request, &Payload::Empty, limit);
    let response = endpoint.check(sent.await?, &request).await?;
    if response.status() == StatusCode::ACCEPTED {
        return Ok(Mounted::Opened(Session::open(&response, &request)?));
    }
    let stored = repository.stored(content, Scope::PUSH).await?;
    compare_stored(repository, content, stored.as_ref())?;
    Ok(Mounted::Yes)
}
