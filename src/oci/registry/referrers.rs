//! Lists of referrers at one endpoint: from the registry itself, or from the tag that clients maintain.

use futures_util::{StreamExt, TryStreamExt, stream};
use reqwest::Method;
use reqwest::header::{ACCEPT, HeaderValue};

use crate::content::{
    Descriptor, Digest, ErrorKind, ListOrigin, ListedFirst, Referrer, ReferrerList,
};
use crate::oci::error::Error;
use crate::oci::manifest::MANIFEST_LIMIT;
use crate::oci::media_type;
use crate::oci::referrers::{Declaration, ReferrersIndex, referrers_tag};

use super::http::{Page, Request, Scope, media_type_of, next_page};
use super::repository_endpoint::RepositoryEndpoint;

/// The header in which a registry names the filters that it has applied to a list.
const FILTERS_APPLIED: &str = "oci-filters-applied";
/// How many manifests are read at a time.
const AT_A_TIME: usize = 8;

/// Returns the referrers of the manifest `digest`, of the type `artifact_type` or of all types. If the registry has no
/// referrers API, they come from an index under a tag, which clients maintain.
pub(crate) async fn list(
    repository: &RepositoryEndpoint,
    digest: &Digest,
    artifact_type: Option<&str>,
) -> Result<Vec<Referrer>, Error> {
    if repository.endpoint.may_list_referrers(&repository.name)
        && let Some(listed) = list_by_api(repository, digest, artifact_type).await?
    {
        return Ok(listed);
    }
    let Some(index) = tagged_index(repository, digest).await? else {
        return Ok(Vec::new());
    };
    // The repository exists, so the 404 of the referrers API means that the registry does not have that API.
    repository.endpoint.lists_no_referrers(&repository.name);
    let listed = index.referrers(&what_tagged(repository, digest));
    let wants_type = artifact_type.is_some();
    let read = listed
        .into_iter()
        .map(|referrer| as_declared(repository, digest, referrer, wants_type));
    let read = stream::iter(read.collect::<Vec<_>>()).buffered(AT_A_TIME);
    let read: Vec<Option<Referrer>> = read.try_collect().await?;
    let mut read: Vec<Referrer> = read.into_iter().flatten().collect();
    read.retain(|referrer| is_of_type(referrer, artifact_type));
    Ok(read)
}

/// Returns the referrers of the manifest `digest` as they are listed, without reading their manifests. The API lists those
/// of the type `artifact_type`, and the list under the tag has all types.
pub(crate) async fn list_unread(
    repository: &RepositoryEndpoint,
    digest: &Digest,
    artifact_type: &str,
    first: ListedFirst,
) -> Result<ReferrerList, Error> {
    if first == ListedFirst::ByClients {
        match list_of_clients(repository, digest, ListOrigin::ClientsFirst).await {
            Ok(Some(list)) => return Ok(list),
            Ok(None) => {}
            Err(error) if matches!(error.kind(), ErrorKind::Unavailable | ErrorKind::Denied) => {
                return Err(error);
            }
            // If the registry has the API, the tag may name anything.
            Err(error) => tracing::debug!(%error, "the tag is not a list of referrers"),
        }
    }
    if let Some(referrers) = list_by_api(repository, digest, Some(artifact_type)).await? {
        let origin = ListOrigin::Storage;
        return Ok(ReferrerList { referrers, origin });
    }
    let list = list_of_clients(repository, digest, ListOrigin::Clients).await?;
    if list.is_some() {
        // The repository exists, so the 404 of the referrers API means that the registry does not have that API.
        repository.endpoint.lists_no_referrers(&repository.name);
    }
    Ok(list.unwrap_or_else(|| ReferrerList {
        referrers: Vec::new(),
        origin: ListOrigin::Storage,
    }))
}

/// Returns the list under the tag as it is written, if there is one.
async fn list_of_clients(
    repository: &RepositoryEndpoint,
    digest: &Digest,
    origin: ListOrigin,
) -> Result<Option<ReferrerList>, Error> {
    let Some(index) = tagged_index(repository, digest).await? else {
        return Ok(None);
    };
    let referrers = index.referrers(&what_tagged(repository, digest));
    Ok(Some(ReferrerList { referrers, origin }))
}

/// Returns whether the registry has the referrers API.
pub(crate) async fn has_api(
    repository: &RepositoryEndpoint,
    digest: &Digest,
) -> Result<bool, Error> {
    let request = list_request(repository, digest, None)?;
    Ok(page(repository, request, None).await?.is_some())
}

/// Returns `true` if it is certain that the registry has no referrers API. A registry with the API may answer 404, too, if
/// the repository does not exist yet. Its answer has an error code then, while a server that does not know the path sends
/// none.
pub(crate) async fn surely_has_no_api(
    repository: &RepositoryEndpoint,
    digest: &Digest,
) -> Result<bool, Error> {
    if !repository.endpoint.may_list_referrers(&repository.name) {
        return Ok(true);
    }
    let repository = &RepositoryEndpoint {
        reading: Scope::PUSH,
        ..repository.clone()
    };
    let request = list_request(repository, digest, None)?;
    match repository.endpoint.read(&request, MANIFEST_LIMIT).await {
        Err(Error::NotFound { answer, .. }) => Ok(answer.code.is_none()),
        Err(error) if error.kind() == ErrorKind::Unavailable => Err(error),
        _ => Ok(false),
    }
}

/// Returns the referrers of the manifest `digest` that the registry lists. `None`: it has no referrers API.
pub(super) async fn list_by_api(
    repository: &RepositoryEndpoint,
    digest: &Digest,
    artifact_type: Option<&str>,
) -> Result<Option<Vec<Referrer>>, Error> {
    let request = list_request(repository, digest, artifact_type)?;
    let what = request.what.clone();
    let Some(first) = page(repository, request, artifact_type).await? else {
        return Ok(None);
    };
    let read = async |next| {
        let page = page(repository, next, artifact_type).await?;
        page.ok_or_else(|| Error::malformed(&what, "one of its pages is missing"))
    };
    first.read_all(&what, read).await.map(Some)
}

fn is_of_type(referrer: &Referrer, artifact_type: Option<&str>) -> bool {
    artifact_type.is_none() || referrer.artifact_type.as_deref() == artifact_type
}

fn list_request(
    repository: &RepositoryEndpoint,
    digest: &Digest,
    artifact_type: Option<&str>,
) -> Result<Request, Error> {
    let path = format!("referrers/{digest}");
    let scope = repository.reading;
    let mut request = repository.request(Method::GET, &path, &what(digest), scope)?;
    if let Some(name) = artifact_type {
        request
            .url
            .query_pairs_mut()
            .append_pair("artifactType", name);
    }
    let accept = HeaderValue::from_static(media_type::OCI_INDEX);
    request.headers.insert(ACCEPT, accept);
    Ok(request)
}

fn what(digest: &Digest) -> String {
    format!("list of what refers to {digest}")
}

/// Names the list under the tag in messages.
pub(super) fn what_tagged(repository: &RepositoryEndpoint, digest: &Digest) -> String {
    format!("{} of {}", what(digest), repository.location())
}

/// Returns the referrers on one page, or `None` when the registry has no referrers API.
async fn page(
    repository: &RepositoryEndpoint,
    request: Request,
    artifact_type: Option<&str>,
) -> Result<Option<Page<Referrer>>, Error> {
    let (headers, bytes) = match repository.endpoint.read(&request, MANIFEST_LIMIT).await {
        Ok(answer) => answer,
        Err(Error::NotFound { .. }) => return Ok(None),
        // Registries that do not know the path send these.
        Err(Error::Refused { answer, .. }) if matches!(answer.status, 400 | 405 | 406 | 501) => {
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    if media_type_of(&headers) != Some(media_type::OCI_INDEX) {
        // Some servers answer every path with success, for example with a web page.
        return Ok(None);
    }
    let filters = headers.get_all(FILTERS_APPLIED).into_iter();
    let mut filters = filters.filter_map(|value| value.to_str().ok());
    let is_filtered =
        filters.any(|value| value.split(',').any(|name| name.trim() == "artifactType"));
    let index = ReferrersIndex::parse(&bytes, &request.what)?;
    let mut entries = index.referrers(&request.what);
    entries.retain(|referrer| is_filtered || is_of_type(referrer, artifact_type));
    Ok(Some(Page {
        entries,
        next: next_page(&headers, request)?,
    }))
}

/// Returns the list that clients maintain under a tag (OCI distribution specification, "Referrers Tag Schema"), if the tag
/// exists.
///
/// `cosign copy` moves this tag to the copied manifest itself. Such a tag is not a list.
pub(super) async fn tagged_index(
    repository: &RepositoryEndpoint,
    digest: &Digest,
) -> Result<Option<ReferrersIndex>, Error> {
    let tag = referrers_tag(digest);
    let (descriptor, bytes) = match repository.manifest(&tag).await {
        Err(Error::NotFound { .. }) => return Ok(None),
        found => found?,
    };
    if descriptor.digest == *digest {
        let location = repository.location();
        tracing::info!("the tag {tag} of {location} names {digest} itself, and not its referrers");
        return Ok(None);
    }
    let what = what_tagged(repository, digest);
    if descriptor.media_type != media_type::OCI_INDEX {
        let reason = format!("it is `{}`, not an image index", descriptor.media_type);
        return Err(Error::malformed(what, reason));
    }
    ReferrersIndex::parse(&bytes, &what).map(Some)
}

/// Corrects a referrer from a list that clients maintain by reading its manifest. The list may be incomplete or wrong: some
/// clients write no annotations, and clients of ghcr.io write wrong types. Returns `None` if the manifest does not exist, or
/// is not a referrer of `subject`.
async fn as_declared(
    repository: &RepositoryEndpoint,
    subject: &Digest,
    listed: Referrer,
    wants_type: bool,
) -> Result<Option<Referrer>, Error> {
    let is_described = listed.artifact_type.is_some() && !listed.annotations.is_empty();
    if is_described && !wants_type {
        return Ok(Some(listed));
    }
    let digest = listed.descriptor.digest.clone();
    let ignored = |reason| {
        let location = repository.location();
        tracing::info!("ignoring {digest} as a referrer of {subject} in {location}: {reason}");
        Ok(None)
    };
    let bytes = match repository.manifest(&digest.to_string()).await {
        Ok((_, bytes)) => bytes,
        // If this is a mirror, the error makes the caller try the next host.
        Err(Error::NotFound { .. }) if !repository.endpoint.is_mirror() => {
            return ignored("the registry does not have it");
        }
        Err(error) => return Err(error),
    };
    match Declaration::of(&bytes) {
        Some(declared) if declared.subject == *subject => {
            let media_type = media_type::of_manifest(&bytes);
            let descriptor = Descriptor {
                media_type: media_type.map_or(listed.descriptor.media_type, str::to_owned),
                digest,
                size: bytes.len() as u64,
            };
            Ok(Some(declared.describe(descriptor)))
        }
        _ => ignored("its manifest names another subject"),
    }
}
