//! Continuing the upload of an earlier process.

use std::time::Duration;

use reqwest::{Method, Url};

use super::session::{BlobUpload, Session, received};

/// How long to wait for the registry to say how much of an earlier upload it has.
const LIMIT: Duration = Duration::from_secs(10);

impl BlobUpload<'_> {
    /// Returns the session of an earlier upload of this blob, if the registry still knows it and has received some
    /// bytes. Asks only once, because the blob can also be sent from its start.
    pub(super) async fn earlier(&mut self) -> Option<Session> {
        let url = Url::parse(&self.kept.address().await?).ok()?;
        let endpoint = &self.repository.endpoint;
        // The request has credentials, so it must go to the same host.
        if url.origin() != endpoint.url("").ok()?.origin() {
            return None;
        }
        let mut session = Session::at(url);
        let request = self.request(Method::GET, &session).ok()?;
        let answer = endpoint.exchange_as_known(&request, LIMIT).await;
        let answer = answer.ok().filter(|answer| answer.status().is_success())?;
        let offset = received(answer.headers());
        (session.offset, session.resumed) = (offset, true);
        self.follow(&mut session, &answer, &request).await.ok()?;
        if (1..=self.content.size).contains(&offset) {
            tracing::info!(
                "continuing an earlier upload of {} after {offset} bytes",
                self.content.digest
            );
            return Some(session);
        }
        self.cancel().await;
        None
    }
}
