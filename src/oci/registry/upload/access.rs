//! Finding out whether a registry takes uploads, before there is anything to upload.

use std::time::Duration;

use bytes::Bytes;
use reqwest::Method;

use crate::oci::error::Error;

use super::super::http::Request;
use super::super::repository_endpoint::RepositoryEndpoint;
use super::session::{Session, opening_request};

/// The longest that cancelling an upload may take.
const CANCEL_LIMIT: Duration = Duration::from_secs(5);

/// An upload that was opened only to see whether the registry takes uploads.
pub(crate) struct OpenUpload {
    repository: RepositoryEndpoint,
    /// Cancels the upload.
    cancel: Request,
}

impl OpenUpload {
    /// Makes sure that the registry takes uploads from this client, by opening one. No other request
    /// tells that, because a registry may allow anonymous reads.
    pub(crate) async fn open(repository: RepositoryEndpoint) -> Result<Self, Error> {
        let request = opening_request(&repository, "uploads")?;
        let endpoint = &repository.endpoint;
        let response = endpoint.exchange(&request, Bytes::new()).await?;
        let response = endpoint.check(response, &request).await?;
        let session = Session::open(&response, &request)?;
        let cancel = Request {
            method: Method::DELETE,
            url: session.url,
            ..request
        };
        Ok(Self { repository, cancel })
    }

    /// Cancels the upload. A registry that does not let this client cancel it, as `registry:2` with
    /// tokens does without the permission to delete, clears it away later.
    pub(crate) async fn cancel(self) {
        let endpoint = &self.repository.endpoint;
        // Requests no new token: the upload is not worth that.
        let cancelled = endpoint.exchange_as_known(&self.cancel, CANCEL_LIMIT);
        match cancelled.await {
            Ok(answer) => tracing::debug!(status = %answer.status(), "cancelled an upload"),
            Err(error) => tracing::debug!(%error, "an upload was not cancelled"),
        }
    }
}
