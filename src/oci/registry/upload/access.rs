//! Finding out whether a registry accepts uploads, before there is content to upload.

use bytes::Bytes;
use reqwest::Method;

use crate::oci::error::Error;

use super::super::http::Request;
use super::super::repository_endpoint::RepositoryEndpoint;
use super::cancel::cancel;
use super::session::{Session, opening_request};

/// An upload that was opened only to find out whether the registry accepts uploads.
pub(crate) struct OpenUpload {
    repository: RepositoryEndpoint,
    /// Cancels the upload.
    cancel: Request,
}

impl OpenUpload {
    /// Makes sure that the registry accepts uploads from this client, by opening one. No other request shows this,
    /// because a registry may allow anonymous reads.
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

    /// Cancels the upload.
    pub(crate) async fn cancel(self) {
        cancel(&self.repository.endpoint, &self.cancel).await;
    }
}
