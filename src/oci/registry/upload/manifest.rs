//! Sending manifests.

use bytes::Bytes;
use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};

use crate::content::{Descriptor, Digest};
use crate::oci::error::{Answer, Error};
use crate::oci::manifest::MANIFEST_LIMIT;
use crate::oci::reference::is_tag;

use super::super::http::{Announced, Scope, is_damage, says_immutable};
use super::super::repository_endpoint::RepositoryEndpoint;
use super::chunks::too_large;
use super::stored::{compare_stored, is_comparable, stored_differently};

/// The header that names the subject for which the registry lists a manifest (OCI distribution specification, "Pushing
/// Manifests with Subject").
const SUBJECT: &str = "oci-subject";

/// What the registry says about a manifest that it was sent.
#[derive(Debug, Default)]
pub(crate) struct SentManifest {
    /// The subject for which it lists the manifest.
    pub(crate) subject: Option<Digest>,
    /// Whether it has named the digest of the manifest.
    pub(crate) is_named: bool,
}

/// Sends a manifest under `name`, a tag or its digest. After a success, a tag names the manifest.
pub(crate) async fn send_manifest(
    repository: &RepositoryEndpoint,
    content: &Descriptor,
    bytes: Bytes,
    name: &str,
) -> Result<SentManifest, Error> {
    let mut request = repository.manifest_request(Method::PUT, name, Scope::PUSH)?;
    if bytes.len() as u64 > MANIFEST_LIMIT {
        return Err(Error::too_large(request.what, MANIFEST_LIMIT));
    }
    let content_type = HeaderValue::from_str(&content.media_type);
    let content_type = content_type.map_err(|_| {
        Error::malformed(&request.what, "its media type does not fit into a header")
    })?;
    request.headers = HeaderMap::from_iter([(CONTENT_TYPE, content_type)]);
    let endpoint = &repository.endpoint;
    let mut attempts = endpoint.attempts();
    let sent = loop {
        let response = endpoint.exchange_within(&mut attempts, &request, bytes.clone());
        match endpoint.check(response.await?, &request).await {
            // `registry:2` also answers this while another client pushes the same manifest.
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
            let subject = response.headers().get(SUBJECT);
            let subject = subject.and_then(|subject| subject.to_str().ok()?.trim().parse().ok());
            compare_stored(repository, content, Some(&announced))?;
            let digest = announced.digest;
            let is_named = digest.is_some_and(|digest| is_comparable(&digest, content));
            if is_tag(name) && !is_named {
                check_tag(repository, content, &bytes, name).await?;
            }
            Ok(SentManifest { subject, is_named })
        }
        Err(Error::Refused { answer, .. } | Error::Forbidden { answer, .. })
            if says_immutable(&answer) =>
        {
            check_immutable_tag(repository, content, name, answer).await?;
            Ok(SentManifest::default())
        }
        Err(error) => Err(too_large(error, content.size)),
    }
}

/// Checks that `tag` names the manifest that was sent, when the registry has not said so.
async fn check_tag(
    repository: &RepositoryEndpoint,
    sent: &Descriptor,
    bytes: &Bytes,
    tag: &str,
) -> Result<(), Error> {
    match repository.manifest(tag).await {
        // Compares the bytes: the digest may be of another algorithm.
        Ok((_, held)) if held == *bytes => Ok(()),
        Ok((held, _)) => Err(stored_differently(
            repository,
            sent,
            held.digest.to_string(),
        )),
        Err(Error::NotFound { .. }) => {
            let actual = format!("nothing under the tag {tag}");
            Err(stored_differently(repository, sent, actual))
        }
        Err(error) => Err(error),
    }
}

/// Accepts the refusal to move a tag when the tag names `content` already: some registries refuse
/// identical pushes too (Amazon ECR).
async fn check_immutable_tag(
    repository: &RepositoryEndpoint,
    content: &Descriptor,
    name: &str,
    answer: Box<Answer>,
) -> Result<(), Error> {
    let location = repository.location();
    let existing = match repository.resolve_name(name).await {
        Ok(existing) => existing.digest,
        Err(Error::NotFound { .. }) => {
            return Err(Error::Refused {
                what: format!("manifest {name} of {location}"),
                registry: repository.registry.clone(),
                answer,
            });
        }
        Err(error) => return Err(error),
    };
    if existing == content.digest {
        return Ok(());
    }
    Err(Error::TagImmutable {
        reference: format!("{location}:{name}"),
        existing,
        wanted: content.digest.clone(),
        answer,
    })
}
