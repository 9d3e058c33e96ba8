//! Finding out how a registry takes content, with content that goes away again.

use bytes::Bytes;
use reqwest::Method;
use reqwest::header::LOCATION;

use crate::content::Descriptor;

use super::super::super::error::Error;
use super::super::super::media_type;
use super::super::blob_upload::wants_chunks;
use super::super::transport::Scope;
use super::super::upload_session::{Session, location};
use super::Probe;

impl Probe {
    /// Sends a blob in one request, and makes sure that it is there. Gives the refusal when the registry
    /// may take it in chunks instead.
    pub(crate) async fn upload_whole(
        &self,
        content: &Descriptor,
        bytes: Bytes,
    ) -> Result<Option<Error>, Error> {
        let session = self.begin(content).await?;
        let call = self.host.closing_call(content, &session)?;
        if let Err(error) = self.asked(&call, bytes).await {
            self.cancel(content, &session).await;
            return match wants_chunks(&error) {
                true => Ok(Some(error)),
                false => Err(error),
            };
        }
        let stored = self.host.stored(content, Scope::PUSH).await?;
        self.host.compare_stored(content, stored)?;
        Ok(None)
    }

    /// Sends a blob as a chunk, and leaves it at that. `false`: the upload cannot be cancelled, and stays
    /// until the registry clears it away.
    pub(crate) async fn upload_chunk(
        &self,
        content: &Descriptor,
        bytes: Bytes,
    ) -> Result<bool, Error> {
        let mut session = self.begin(content).await?;
        let call = self.host.chunk_call(content, &session, content.size)?;
        let sent = self.asked(&call, bytes).await;
        if let Ok(response) = &sent
            && response.headers().contains_key(LOCATION)
        {
            session.url = location(response, &call)?;
        }
        let cancelled = self.cancel(content, &session).await;
        sent.map(|_| cancelled)
    }

    /// Sends content that is no upload of its own, in whatever way the registry takes it.
    pub(crate) async fn put(&self, content: &Descriptor, bytes: &Bytes) -> Result<(), Error> {
        if media_type::is_manifest(&content.media_type) {
            self.host.upload_manifest(content, bytes, None).await
        } else {
            self.host.upload_blob(content, None, bytes).await
        }
    }

    /// Takes content out of the repository.
    pub(crate) async fn delete(&self, content: &Descriptor) -> Result<(), Error> {
        let call = match media_type::is_manifest(&content.media_type) {
            true => {
                let name = content.digest.to_string();
                self.host
                    .manifest_call(Method::DELETE, &name, Scope::DELETE)?
            }
            false => self
                .host
                .blob_call(Method::DELETE, content, Scope::DELETE)?,
        };
        self.asked(&call, Bytes::new()).await.map(drop)
    }

    async fn begin(&self, content: &Descriptor) -> Result<Session, Error> {
        let mut attempts = self.host.transport.attempts();
        let session = self.host.begin(content, None, &mut attempts).await?;
        session.ok_or_else(|| Error::Location {
            what: format!("blob {}", content.digest),
            registry: self.name().to_owned(),
            reason: "it opened no upload".to_owned(),
        })
    }

    async fn cancel(&self, content: &Descriptor, session: &Session) -> bool {
        let call = self
            .host
            .session_call(Method::DELETE, content, session.url.clone());
        match call {
            Ok(call) => self.asked(&call, Bytes::new()).await.is_ok(),
            Err(_) => false,
        }
    }
}
