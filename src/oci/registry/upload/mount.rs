//! Mounting: a registry takes a blob over from another of its repositories.

use std::time::Duration;

use reqwest::StatusCode;

use crate::content::Descriptor;
use crate::oci::error::Error;

use super::super::http::{Payload, Scope};
use super::super::repository_endpoint::RepositoryEndpoint;
use super::session::{Session, opening_request};
use super::stored::compare_stored;

/// The longest that a mount may take. Sending the blob takes longer, but not without an end.
const LIMIT: Duration = Duration::from_secs(10);

/// What a registry did when it was asked to mount a blob.
pub(super) enum Mounted {
    /// It has the blob.
    Yes,
    /// It has opened an upload instead (OCI distribution specification, "Mounting a blob from another
    /// repository").
    Opened(Session),
    /// Nothing that helps: the blob has to be sent.
    No,
}

/// Asks the registry once to take a blob over from its repository `from`.
///
/// A mount only saves time, so that no failure of it is an error: registries answer it with 400, 404, 405,
/// 500 or 502 where they do not know it, and with 201 without having the blob.
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
