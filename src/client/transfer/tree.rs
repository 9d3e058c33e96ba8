//! The manifests and blobs that a copy of a manifest consists of.

use std::collections::HashSet;

use bytes::Bytes;

use crate::content::{Content, Descriptor, Digest, ErrorKind, ReadStorage};
use crate::oci::{
    self, Child, Reference, Role, children, digests_in, media_type, names_content, read_json,
    read_manifest,
};

use super::super::error::Error;

/// How deep manifests may be nested. No tool is known that makes more than an index of manifests.
const DEEPEST: usize = 5;
/// How many manifests and blobs may belong to a reference.
const MOST: usize = 10_000;
/// For how many digests in JSON of unknown types the content is looked for.
const MOST_UNKNOWN: usize = 1000;
/// How many bytes all manifests together may have, because they are held in memory.
const MOST_MANIFEST_BYTES: u64 = 64 << 20;

/// Content that a copied manifest names and that the source of the copy does not have.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LeftOut {
    /// The digest of the content.
    pub digest: Digest,
    /// The media type in its descriptor.
    pub media_type: String,
    /// For a foreign layer, the addresses of the content. Nothing was requested from them.
    pub urls: Vec<String>,
}

/// A manifest and everything that it names, directly or through other manifests.
#[derive(Default)]
pub(in crate::client) struct Tree {
    pub(in crate::client) blobs: Vec<Blob>,
    /// The manifests. Each one comes after the manifests that it names. The last one is the root.
    pub(in crate::client) manifests: Vec<(Descriptor, Bytes)>,
    pub(in crate::client) left_out: Vec<LeftOut>,
    /// The digests of the manifests that are subjects, or that subjects name.
    of_subjects: HashSet<Digest>,
    /// The content that was already added, and whether it was named as a blob. Manifests can name the same content.
    seen: HashSet<(Digest, bool)>,
    manifest_bytes: u64,
    /// The digests in JSON of unknown types, which may name content, each with the descriptor of its JSON.
    unknown: Vec<(Digest, Descriptor)>,
}

/// Content of a tree that is not a manifest.
pub(in crate::client) struct Blob {
    pub(in crate::client) descriptor: Descriptor,
    /// The content, if the manifest contains it.
    pub(in crate::client) data: Option<Bytes>,
}

impl Tree {
    /// Reads `root` and all manifests that it names from `source`. A subject and a foreign layer may be missing.
    pub(in crate::client) async fn read(
        from: &dyn ReadStorage,
        source: &Reference,
        root: &Descriptor,
    ) -> Result<Self, Error> {
        let reader = TreeReader {
            from,
            source,
            without: None,
        };
        let bytes = reader.read_root(root).await?;
        reader.tree(root, bytes).await
    }

    /// Reads the manifests of `source` from `root` downwards, as [`read`](Self::read) does. `bytes` are the bytes of
    /// `root`.
    pub(in crate::client) async fn read_from(
        from: &dyn ReadStorage,
        source: &Reference,
        root: &Descriptor,
        bytes: Bytes,
    ) -> Result<Self, Error> {
        let reader = TreeReader {
            from,
            source,
            without: None,
        };
        reader.tree(root, bytes).await
    }

    /// Reads the manifests of `source` from `root` downwards, as [`read`](Self::read) does, except the subject of `root`.
    /// `bytes` are the bytes of `root`.
    pub(in crate::client) async fn read_attached(
        from: &dyn ReadStorage,
        source: &Reference,
        root: &Descriptor,
        bytes: Bytes,
        subject: &Digest,
    ) -> Result<Self, Error> {
        let reader = TreeReader {
            from,
            source,
            without: Some(subject),
        };
        reader.tree(root, bytes).await
    }

    /// Returns the digests of the manifests, without subjects and the manifests that subjects name.
    pub(in crate::client) fn own_manifests(&self) -> Vec<Digest> {
        let manifests = self.manifests.iter().map(|(manifest, _)| &manifest.digest);
        let own = manifests.filter(|digest| !self.of_subjects.contains(digest));
        own.cloned().collect()
    }

    fn contains(&self, digest: &Digest) -> bool {
        let both = [true, false].map(|is_blob| (digest.clone(), is_blob));
        both.iter().any(|key| self.seen.contains(key))
    }
}

/// Reads the manifests of a tree.
struct TreeReader<'a> {
    from: &'a dyn ReadStorage,
    source: &'a Reference,
    /// The subject that is not read.
    without: Option<&'a Digest>,
}

impl TreeReader<'_> {
    async fn tree(&self, root: &Descriptor, bytes: Bytes) -> Result<Tree, Error> {
        let mut tree = Tree::default();
        self.add_manifest(&mut tree, root, bytes, 1).await?;
        self.look_for_unknown(&tree).await?;
        Ok(tree)
    }

    async fn read_root(&self, root: &Descriptor) -> Result<Bytes, Error> {
        let read = read_manifest(root, &Content::new(self.from, root)).await;
        read.map_err(|error| Error::giving(self.source)(error.into()))
    }

    /// Adds a manifest after everything that it names.
    async fn add_manifest(
        &self,
        tree: &mut Tree,
        manifest: &Descriptor,
        bytes: Bytes,
        depth: usize,
    ) -> Result<(), Error> {
        tree.manifest_bytes = tree.manifest_bytes.saturating_add(bytes.len() as u64);
        if depth > DEEPEST || tree.manifest_bytes > MOST_MANIFEST_BYTES {
            return Err(self.too_much());
        }
        for child in children(manifest, &bytes)? {
            let is_subject = child.role == Role::Subject;
            if is_subject && self.without == Some(&child.descriptor.digest)
                || !tree.seen.insert(key(&child))
            {
                continue;
            }
            if tree.seen.len() > MOST {
                return Err(self.too_much());
            }
            let before = tree.manifests.len();
            Box::pin(self.add(tree, child, depth + 1)).await?;
            if is_subject {
                let added = tree.manifests.iter().skip(before);
                let added = added.map(|(manifest, _)| manifest.digest.clone());
                tree.of_subjects.extend(added);
            }
        }
        // A registry demands that the media type in the request is that of the manifest.
        let media_type = media_type::of_manifest(&bytes);
        let manifest = Descriptor {
            media_type: media_type.map_or_else(|| manifest.media_type.clone(), str::to_owned),
            ..manifest.clone()
        };
        tree.manifests.push((manifest, bytes));
        Ok(())
    }

    async fn add(&self, tree: &mut Tree, child: Child, depth: usize) -> Result<(), Error> {
        let missing = match self.find(&child).await {
            Ok(Found::Manifest(bytes)) => {
                let manifest = &child.descriptor;
                return self.add_manifest(tree, manifest, bytes, depth).await;
            }
            Ok(Found::Blob(json)) => {
                let digests = json.as_deref().map(digests_in).unwrap_or_default();
                let digests = digests.into_iter();
                let digests = digests.map(|digest| (digest, child.descriptor.clone()));
                tree.unknown.extend(digests);
                let Child {
                    descriptor, data, ..
                } = child;
                tree.blobs.push(Blob { descriptor, data });
                return Ok(());
            }
            Err(error) => error,
        };
        let may_be_missing = match missing.kind() {
            ErrorKind::NotFound => child.role != Role::Part && child.role != Role::Entry,
            _ => false,
        };
        // Registries answer a request for a foreign layer not only with "not found", so each error but an outage means
        // that it is missing.
        let is_outage = missing.kind() == ErrorKind::Unavailable;
        if !may_be_missing && (is_outage || !is_foreign(&child)) {
            return Err(Error::giving(self.source)(missing.into()));
        }
        // Another manifest may need the content, and then it must not be missing.
        tree.seen.remove(&key(&child));
        let left_out = LeftOut {
            digest: child.descriptor.digest,
            media_type: child.descriptor.media_type,
            urls: child.urls,
        };
        if !tree.left_out.contains(&left_out) {
            tree.left_out.push(left_out);
        }
        Ok(())
    }

    /// Finds out what `child` is, and reads it if it is a manifest.
    async fn find(&self, child: &Child) -> Result<Found, oci::Error> {
        let content = &child.descriptor;
        if media_type::is_manifest(&content.media_type) {
            let bytes = match &child.data {
                Some(bytes) => bytes.clone(),
                None => self.read(content).await?,
            };
            return Ok(Found::Manifest(bytes));
        }
        if child.role == Role::Part {
            if is_foreign(child) && child.data.is_none() {
                // Opening the blob shows whether it is there.
                self.from.open(content, None).await?;
            }
            return Ok(Found::Blob(None));
        }
        if child.role == Role::Other && child.data.is_none() {
            self.from.open(&as_blob(content), None).await?;
        }
        let bytes = match &child.data {
            Some(bytes) => Some(bytes.clone()),
            None => self.read_unknown(content).await?,
        };
        match bytes {
            Some(bytes) if media_type::of_manifest(&bytes).is_some() => Ok(Found::Manifest(bytes)),
            Some(bytes) if names_content(&bytes) => Err(oci::Error::UnsupportedManifest {
                what: format!("manifest {}", content.digest),
                media_type: content.media_type.clone(),
            }),
            // An index can also list blobs, such as the layers of a build cache.
            json => Ok(Found::Blob(json.filter(|_| {
                !media_type::has_unrelated_digests(&content.media_type)
            }))),
        }
    }

    /// Reads a manifest, or else the blob with its digest. Registries that do not know artifact manifests store them as
    /// blobs, and some registries serve every manifest only as a blob.
    async fn read(&self, content: &Descriptor) -> Result<Bytes, oci::Error> {
        let read = async |content: &Descriptor| {
            read_manifest(content, &Content::new(self.from, content)).await
        };
        let (first, second) = if media_type::is_artifact_manifest(&content.media_type) {
            (as_blob(content), as_manifest(content))
        } else {
            (as_manifest(content), as_blob(content))
        };
        or_else(read(&first).await, read(&second)).await
    }

    /// Reads content that may be a manifest. Returns `None` if it is not.
    async fn read_unknown(&self, content: &Descriptor) -> Result<Option<Bytes>, oci::Error> {
        let (blob, manifest) = (as_blob(content), as_manifest(content));
        let source = Content::new(self.from, &blob);
        let found = read_json(content, &source).await;
        let second = async {
            let bytes = read_manifest(content, &Content::new(self.from, &manifest)).await?;
            Ok(Some(bytes))
        };
        or_else(found, second).await
    }

    /// Looks at the source for the digests in JSON of unknown types. Refuses the copy if the source has content that
    /// such JSON names and that would not be copied.
    async fn look_for_unknown(&self, tree: &Tree) -> Result<(), Error> {
        let mut looked_for = HashSet::new();
        for (digest, json) in &tree.unknown {
            if tree.contains(digest) || !looked_for.insert(digest) {
                continue;
            }
            if looked_for.len() > MOST_UNKNOWN || self.has(digest).await? {
                return Err(oci::Error::UnsupportedManifest {
                    what: format!("manifest {}", json.digest),
                    media_type: json.media_type.clone(),
                }
                .into());
            }
        }
        Ok(())
    }

    /// Returns whether there is content with this digest, of any size.
    async fn has(&self, digest: &Digest) -> Result<bool, oci::Error> {
        let content = Descriptor {
            media_type: String::new(),
            digest: digest.clone(),
            size: 1,
        };
        for content in [as_blob(&content), as_manifest(&content)] {
            match self.from.open(&content, None).await {
                Ok(_) => return Ok(true),
                Err(error) => match oci::Error::from(error) {
                    // The content exists, and its size is not the one in the request.
                    error if error.kind() == ErrorKind::NotVerified => return Ok(true),
                    error if error.kind() == ErrorKind::Unavailable => return Err(error),
                    _ => {}
                },
            }
        }
        Ok(false)
    }

    fn too_much(&self) -> Error {
        Error::TooMuch {
            reference: self.source.to_string(),
            most: MOST,
            mebibytes: MOST_MANIFEST_BYTES >> 20,
            deepest: DEEPEST,
        }
    }
}

/// The kind of the content of a descriptor.
enum Found {
    Manifest(Bytes),
    /// A blob, and its bytes if they are JSON of an unknown type, which may name content.
    Blob(Option<Bytes>),
}

fn key(child: &Child) -> (Digest, bool) {
    let Descriptor {
        digest, media_type, ..
    } = &child.descriptor;
    let is_blob = child.role == Role::Part && !media_type::is_manifest(media_type);
    (digest.clone(), is_blob)
}

/// Returns whether a registry need not hold the blob of `child`.
fn is_foreign(child: &Child) -> bool {
    child.role == Role::Part
        && (!child.urls.is_empty() || media_type::is_foreign_layer(&child.descriptor.media_type))
}

/// Returns the descriptor for requesting the content as a manifest.
fn as_manifest(content: &Descriptor) -> Descriptor {
    with_type(content, media_type::OCI_MANIFEST)
}

/// Returns the descriptor for requesting the content as a blob.
fn as_blob(content: &Descriptor) -> Descriptor {
    with_type(content, "application/octet-stream")
}

fn with_type(content: &Descriptor, media_type: &str) -> Descriptor {
    Descriptor {
        media_type: media_type.to_owned(),
        ..content.clone()
    }
}

/// Returns the result of `first`, or the result of `second` if `first` was refused. If both fail, returns the error of
/// `first`.
async fn or_else<T>(
    first: Result<T, oci::Error>,
    second: impl Future<Output = Result<T, oci::Error>>,
) -> Result<T, oci::Error> {
    match first {
        Err(error) if error.kind() != ErrorKind::Unavailable => second.await.map_err(|_| error),
        first => first,
    }
}
