//! Manifests of any kind: reading them, and finding the content that they name.

use bytes::Bytes;
use data_encoding::BASE64;
use serde::Deserialize;
use serde_json::Value;
use tokio::io::AsyncReadExt;

use crate::content::{
    Content, Descriptor, Digest, Hasher, ManifestName, ReadStorage, Source, StoreError,
    VerifyError, VerifyReader,
};

pub(crate) use crate::content::MANIFEST_LIMIT;

use super::error::Error;
use super::media_type;
use super::one_line::one_line;

/// The most layers, or entries of an index, that are accepted in one manifest.
pub(super) const CHILDREN_LIMIT: usize = 1000;

/// Reads a manifest of at most [`MANIFEST_LIMIT`] bytes from `source`, and verifies it.
pub(crate) async fn read_manifest(
    content: &Descriptor,
    source: &dyn Source,
) -> Result<Bytes, Error> {
    let what = || format!("manifest {}", content.digest);
    if content.size > MANIFEST_LIMIT {
        return Err(Error::too_large(what(), MANIFEST_LIMIT));
    }
    let mut reader = VerifyReader::new(source.open(0).await?, content);
    let mut bytes = Vec::new();
    let verified = async {
        reader.read_to_end(&mut bytes).await?;
        reader.finish_async().await
    };
    verified
        .await
        .map_err(|error| Error::reading(what(), error))?;
    Ok(bytes.into())
}

/// Returns the descriptor and the verified bytes of the manifest that `name` names in an image layout.
pub(super) async fn fetch_manifest(
    layout: &dyn ReadStorage,
    name: &ManifestName,
) -> Result<(Descriptor, Bytes), StoreError> {
    let descriptor = layout.resolve(name).await?;
    let bytes = read_manifest(&descriptor, &Content::new(layout, &descriptor)).await?;
    Ok((descriptor, bytes))
}

/// Reads and verifies content of an unknown type that may be a manifest: JSON of at most [`MANIFEST_LIMIT`] bytes.
/// Returns `None` for any other content, and reads only the start of it.
pub(crate) async fn read_json(
    content: &Descriptor,
    source: &dyn Source,
) -> Result<Option<Bytes>, Error> {
    if content.size > MANIFEST_LIMIT {
        return if content.media_type.to_ascii_lowercase().contains("json") {
            let what = format!("manifest {}", content.digest);
            Err(Error::too_large(what, MANIFEST_LIMIT))
        } else {
            Ok(None)
        };
    }
    let what = || format!("content {}", content.digest);
    let failed = |error| Error::reading(what(), error);
    let mut reader = VerifyReader::new(source.open(0).await?, content);
    let mut bytes = Vec::new();
    while reader.read_buf(&mut bytes).await.map_err(failed)? > 0 {
        let first = bytes.iter().find(|byte| !byte.is_ascii_whitespace());
        if first.is_some_and(|first| !matches!(first, b'{' | b'[')) {
            return Ok(None);
        }
    }
    reader.finish_async().await.map_err(failed)?;
    let is_json = serde_json::from_slice::<serde::de::IgnoredAny>(&bytes).is_ok();
    Ok(is_json.then(|| bytes.into()))
}

/// Checks that `bytes` are the content of `descriptor`. `what` names them in the error.
pub(super) fn verify(
    descriptor: &Descriptor,
    bytes: &[u8],
    what: impl Fn() -> String,
) -> Result<(), Error> {
    let mut hasher = Hasher::new(descriptor.digest.algorithm());
    hasher.update(bytes);
    let actual = hasher.finish();
    if actual != descriptor.digest {
        let expected = descriptor.digest.clone();
        return Err(Error::not_verified(
            what(),
            VerifyError::WrongDigest { expected, actual },
        ));
    }
    if bytes.len() as u64 != descriptor.size {
        let actual = format!("{} bytes", bytes.len());
        return Err(Error::wrong_size(what(), descriptor.size, actual));
    }
    Ok(())
}

/// Returns the descriptor of the manifest `bytes`, with the media type in the manifest. `None` when `bytes` are not a
/// manifest.
///
/// # Errors
///
/// [`Error::NotVerified`] when the bytes do not have the digest, so that a damaged manifest does not count as content
/// of another kind.
pub(super) fn describe(digest: &Digest, bytes: &[u8]) -> Result<Option<Descriptor>, Error> {
    let media_type = media_type::of_manifest(bytes);
    let descriptor = Descriptor {
        media_type: media_type.unwrap_or_default().to_owned(),
        digest: digest.clone(),
        size: bytes.len() as u64,
    };
    verify(&descriptor, bytes, || format!("manifest {digest}"))?;
    Ok(media_type.map(|_| descriptor))
}

/// Content that a manifest names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Child {
    pub(crate) descriptor: Descriptor,
    pub(crate) role: Role,
    /// The URLs of the content outside of the registry.
    pub(crate) urls: Vec<String>,
    /// The verified content itself, if it is in the descriptor.
    pub(crate) data: Option<Bytes>,
}

/// The role of content in the manifest that names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// The manifest to which the naming manifest refers. It may not exist (OCI image specification, "subject").
    Subject,
    /// A config, a layer, or a blob of an artifact manifest.
    Part,
    /// An entry of an index. It is a manifest, even when its type is not known. Some tools list blobs here.
    Entry,
    /// Content in a field that is not known. It may not exist, because no registry demands it.
    Other,
}

/// Returns the contents that the manifest `bytes` names, at most 1,000: its subject, its config, its layers or
/// blobs, and the manifests of an index. Lists may be `null`, as some tools write them.
///
/// [`Error::UnsupportedManifest`] means that a manifest of this type may name other content too.
pub(crate) fn children(content: &Descriptor, bytes: &[u8]) -> Result<Vec<Child>, Error> {
    let what = || format!("manifest {}", content.digest);
    let document: Value = serde_json::from_slice(bytes).map_err(Error::json(what()))?;
    let own = document.get("mediaType").and_then(Value::as_str);
    let media_type = own.unwrap_or(&content.media_type).to_owned();
    let unsupported = || Error::UnsupportedManifest {
        what: what(),
        media_type: one_line(&media_type),
    };
    if media_type::of_manifest(bytes).is_some_and(media_type::is_docker_schema_1) {
        return Err(unsupported());
    }
    let mut named = Vec::new();
    collect_descriptors(&document, &mut named);
    let fields = Fields::deserialize(&document).map_err(Error::json(what()))?;
    let mut children = fields.children();
    let is_child = |children: &[Child], digest: &Digest| {
        let mut children = children.iter();
        children.any(|child| child.descriptor.digest == *digest)
    };
    if media_type::is_manifest(&media_type) {
        // These descriptors are in fields that are in no specification.
        for named in named.drain(..).filter_map(|named| named.whole()) {
            if !is_child(&children, &named.digest) {
                children.push(named.child(Role::Other));
            }
        }
    }
    if children.len() > CHILDREN_LIMIT {
        let reason = format!("it names more than {CHILDREN_LIMIT} layers or manifests");
        return Err(Error::malformed(what(), reason));
    }
    if !named.iter().all(|named| is_child(&children, &named.digest)) {
        return Err(unsupported());
    }
    Ok(children)
}

/// Returns whether a JSON document has descriptors in any of its fields.
pub(crate) fn names_content(bytes: &[u8]) -> bool {
    let document: Value = serde_json::from_slice(bytes).unwrap_or_default();
    let mut found = Vec::new();
    collect_descriptors(&document, &mut found);
    !found.is_empty()
}

/// Returns all digests in the texts and the names of fields of a JSON document. They may not be digests of content in a
/// registry: the config of an image has the digests of its unpacked layers.
pub(crate) fn digests_in(bytes: &[u8]) -> Vec<Digest> {
    let document: Value = serde_json::from_slice(bytes).unwrap_or_default();
    let mut found = Vec::new();
    collect_digests(&document, &mut found);
    found
}

/// A digest, and the object of the JSON document with this digest, which seems to be a descriptor.
struct NamedSomewhere<'a> {
    digest: Digest,
    object: &'a Value,
}

impl NamedSomewhere<'_> {
    /// Returns the descriptor, if the object is a complete one.
    fn whole(self) -> Option<Named> {
        Named::deserialize(self.object).ok()
    }
}

/// Collects all descriptors in `value`, at any depth. `serde_json` limits the depth.
fn collect_descriptors<'a>(value: &'a Value, found: &mut Vec<NamedSomewhere<'a>>) {
    match value {
        Value::Array(values) => values
            .iter()
            .for_each(|value| collect_descriptors(value, found)),
        Value::Object(fields) => {
            let digest = fields.get("digest").and_then(Value::as_str);
            let is_descriptor = fields.contains_key("size") || fields.contains_key("mediaType");
            if let Some(Ok(digest)) = digest.filter(|_| is_descriptor).map(str::parse) {
                found.push(NamedSomewhere {
                    digest,
                    object: value,
                });
            }
            fields
                .values()
                .for_each(|value| collect_descriptors(value, found));
        }
        _ => {}
    }
}

fn collect_digests(value: &Value, found: &mut Vec<Digest>) {
    match value {
        Value::Array(values) => values
            .iter()
            .for_each(|value| collect_digests(value, found)),
        Value::Object(fields) => {
            found.extend(fields.keys().filter_map(|name| name.parse().ok()));
            fields
                .values()
                .for_each(|value| collect_digests(value, found));
        }
        Value::String(text) => found.extend(text.parse().ok()),
        _ => {}
    }
}

/// The fields of a manifest or an index that name content.
#[derive(Deserialize)]
struct Fields {
    subject: Option<Named>,
    config: Option<Named>,
    layers: Option<Vec<Named>>,
    /// The blobs of an artifact manifest.
    blobs: Option<Vec<Named>>,
    manifests: Option<Vec<Named>>,
}

impl Fields {
    fn children(self) -> Vec<Child> {
        let subject = self.subject.map(|named| named.child(Role::Subject));
        let lists = [self.layers, self.blobs];
        let parts = lists.into_iter().flatten().flatten();
        let parts = self.config.into_iter().chain(parts);
        let parts = parts.map(|named| named.child(Role::Part));
        let entries = self.manifests.into_iter().flatten();
        let entries = entries.map(|named| named.child(Role::Entry));
        subject.into_iter().chain(parts).chain(entries).collect()
    }
}

/// A descriptor in a manifest. Some tools leave out the media type.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Named {
    media_type: Option<String>,
    digest: Digest,
    size: u64,
    urls: Option<Vec<String>>,
    data: Option<String>,
}

impl Named {
    fn child(self, role: Role) -> Child {
        let descriptor = Descriptor {
            media_type: self.media_type.unwrap_or_default(),
            digest: self.digest,
            size: self.size,
        };
        let data = self.data.and_then(|data| {
            let data = Bytes::from(BASE64.decode(data.as_bytes()).ok()?);
            verify(&descriptor, &data, String::new).ok()?;
            Some(data)
        });
        Child {
            descriptor,
            role,
            urls: self.urls.unwrap_or_default(),
            data,
        }
    }
}

#[cfg(test)]
#[path = "tests/manifest.rs"]
mod tests;
