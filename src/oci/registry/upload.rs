//! Sending content: manifests here, blobs in `blob_upload.rs`.

use bytes::Bytes;
use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};

use crate::content::{Algorithm, Descriptor, Digest, Source};

use super::super::MANIFEST_LIMIT;
use super::super::artifact::verify;
use super::super::error::{Answer, Error};
use super::super::reference::is_tag;
use super::answer::says_immutable;
use super::hosted::{Announced, HostedRepository};
use super::retry::is_damage;
use super::transport::Scope;

impl HostedRepository {
    /// Stores a blob, unless the registry has it: from the repository `from` of this registry when
    /// the registry allows that, else from `source`. Compares what the registry holds then.
    pub(super) async fn upload_blob(
        &self,
        content: &Descriptor,
        from: Option<&str>,
        source: &dyn Source,
    ) -> Result<(), Error> {
        if self.has(content, Scope::PUSH).await? {
            return Ok(());
        }
        self.send_blob(content, from, source).await?;
        let stored = self.stored(content, Scope::PUSH).await?;
        self.compare_stored(content, stored)
    }

    /// Stores a manifest under `tag`, or under its digest, in one request. Compares what the
    /// registry holds then.
    pub(super) async fn upload_manifest(
        &self,
        content: &Descriptor,
        bytes: &Bytes,
        tag: Option<&str>,
    ) -> Result<(), Error> {
        let digest = content.digest.to_string();
        verify(content, bytes, || format!("manifest {digest}"))?;
        // A registry finds what it gets under a tag by its SHA-256 alone.
        let by_digest = tag.is_none() || content.digest.algorithm() != Algorithm::Sha256;
        if by_digest {
            if !self.has(content, Scope::PUSH).await? {
                self.send_manifest(content, bytes.clone(), &digest).await?;
            } else if tag.is_none() {
                return Ok(());
            }
        }
        if let Some(tag) = tag {
            self.send_manifest(content, bytes.clone(), tag).await?;
        }
        let stored = self.stored(content, Scope::PUSH).await?;
        self.compare_stored(content, stored)
    }

    /// Makes sure that what the registry says it holds is what it was sent.
    pub(super) fn compare_stored(
        &self,
        sent: &Descriptor,
        stored: Option<Announced>,
    ) -> Result<(), Error> {
        match stored {
            Some(stored) => self.compare(sent, &stored),
            None => Err(self.stored_differently(sent, "nothing".to_owned())),
        }
    }

    pub(super) async fn send_manifest(
        &self,
        content: &Descriptor,
        bytes: Bytes,
        name: &str,
    ) -> Result<(), Error> {
        let mut call = self.manifest_call(Method::PUT, name, Scope::PUSH)?;
        if bytes.len() as u64 > MANIFEST_LIMIT {
            return Err(Error::TooLarge {
                what: call.what,
                limit: MANIFEST_LIMIT,
            });
        }
        let content_type = HeaderValue::from_str(&content.media_type);
        let content_type = content_type.map_err(|_| Error::Malformed {
            what: call.what.clone(),
            reason: "its media type does not fit into a header".to_owned(),
        })?;
        call.headers = HeaderMap::from_iter([(CONTENT_TYPE, content_type)]);
        let mut attempts = self.transport.attempts();
        let sent = loop {
            let body = bytes.clone();
            let response = self.transport.exchange_within(&mut attempts, &call, body);
            match self.transport.check(response.await?, &call).await {
                // `registry:2` says so too when others push the same manifest.
                Err(error) if is_damage(&error) => attempts.failed(error).await?,
                sent => break sent,
            }
        };
        match sent {
            Ok(response) => {
                let announced = Announced {
                    size: None,
                    ..Announced::from(response.headers())
                };
                self.compare(content, &announced)?;
                let named = announced.digest;
                let named = named.is_some_and(|digest| comparable(&digest, content));
                match is_tag(name) && !named {
                    true => self.look(content, &bytes, name).await,
                    // Whoever sends content under its digest looks for it afterwards.
                    false => Ok(()),
                }
            }
            Err(Error::Refused { answer, .. } | Error::Forbidden { answer, .. })
                if says_immutable(&answer) =>
            {
                self.immutable(content, name, answer).await
            }
            Err(error) => Err(error),
        }
    }

    /// Makes sure that a tag stands for what was sent, when the registry has not said so.
    async fn look(&self, sent: &Descriptor, bytes: &Bytes, tag: &str) -> Result<(), Error> {
        match self.manifest(tag).await {
            // Not by its digest, which may be of another algorithm.
            Ok((_, held)) if held == *bytes => Ok(()),
            Ok((held, _)) => Err(self.stored_differently(sent, held.digest.to_string())),
            Err(Error::NotFound { .. }) => {
                Err(self.stored_differently(sent, format!("nothing under the tag {tag}")))
            }
            Err(error) => Err(error),
        }
    }

    /// A refusal to move a tag is fine when the tag is where it should be: some registries refuse
    /// identical pushes too (Amazon ECR).
    async fn immutable(
        &self,
        content: &Descriptor,
        name: &str,
        answer: Box<Answer>,
    ) -> Result<(), Error> {
        let existing = match self.resolve_name(name).await {
            Ok(existing) => existing.digest,
            Err(Error::NotFound { .. }) => {
                let what = format!("manifest {name} of {}", self.location());
                return Err(Error::Refused {
                    what,
                    registry: self.registry.clone(),
                    answer,
                });
            }
            Err(error) => return Err(error),
        };
        if existing == content.digest {
            return Ok(());
        }
        Err(Error::TagImmutable {
            reference: format!("{}:{name}", self.location()),
            existing,
            wanted: content.digest.clone(),
            answer,
        })
    }

    /// Compares what the registry says it holds with what it was sent, as far as it says anything.
    /// Registries have reported success and stored only a part (JFrog Artifactory).
    fn compare(&self, sent: &Descriptor, stored: &Announced) -> Result<(), Error> {
        if let Some(size) = stored.size.filter(|size| *size != sent.size) {
            let actual = format!("{size} bytes, not {},", sent.size);
            return Err(self.stored_differently(sent, actual));
        }
        match &stored.digest {
            Some(digest) if comparable(digest, sent) && *digest != sent.digest => {
                Err(self.stored_differently(sent, digest.to_string()))
            }
            _ => Ok(()),
        }
    }

    fn stored_differently(&self, sent: &Descriptor, actual: String) -> Error {
        Error::StoredDifferently {
            what: format!("content for {}", self.location()),
            registry: self.registry.clone(),
            expected: sent.digest.to_string(),
            actual,
        }
    }
}

/// Whether a digest that the registry names can be that of `sent`: it may prefer another algorithm.
fn comparable(digest: &Digest, sent: &Descriptor) -> bool {
    digest.algorithm() == sent.digest.algorithm()
}
