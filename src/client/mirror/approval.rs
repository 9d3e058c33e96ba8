//! Checking a source against the lock, the trust policy and the pins before anything is copied.

use crate::archive::Target;
use crate::content::{Descriptor, Digest, ReadStorage};
use crate::oci::{self, Artifact, Reference, media_type};

use super::super::admission::Admission;
use super::super::client::Client;
use super::super::error::Error;
use super::super::lookup::{Lookup, named, read_storage};
use super::super::require::{require_digest, require_name};
use super::super::transfer::Tree;
use super::super::trust_report;
use super::source::MirrorSource;

/// A source that may be copied, with everything that its manifest names.
pub(super) struct Approved {
    pub(super) root: Descriptor,
    /// The reference by digest to the root, in the place that its content is read from.
    pub(super) place: Reference,
    pub(super) tree: Tree,
    /// Whether the root is a provider archive, or an index with one.
    pub(super) is_archive: bool,
}

impl Approved {
    /// Resolves `source`, and checks each of its provider archives.
    ///
    /// The trust policy is only about archives, so other artifacts are approved without a check. But the source must be an
    /// archive if a lock is used, if the reference is deployed as a provider, or if its repository is pinned.
    pub(super) async fn of(reader: &Client, source: &MirrorSource) -> Result<Self, Error> {
        let reference = &source.reference;
        let expected = match reader.lock {
            Some(_) => reader.locked(reference)?.digest().cloned(),
            None => reference.digest().cloned(),
        };
        let place = named(source.place()).await?.into_owned();
        // A locked reference is resolved by its digest, because its tag may have moved.
        let place = match &expected {
            Some(digest) if source.place.is_none() => place.with_digest(digest.clone()),
            _ => place,
        };
        let storage = read_storage(reader, &place).await?;
        let root = storage.resolve(&require_name(&place)?).await?;
        require_digest(reference, expected.as_ref(), &root.digest)?;
        let place = place.with_digest(root.digest.clone());
        let tree = Tree::read(storage.as_ref(), &place, &root).await?;
        let question = Question {
            reader,
            reference,
            place: &place,
            storage: storage.as_ref(),
            root: &root.digest,
        };
        let archives = question.archives(&tree)?;
        let is_archive = !archives.digests.is_empty();
        if let Some(other) = archives.other.filter(|_| !is_archive)
            && question.demands_archive(source).await?
        {
            return Err(other.into());
        }
        for digest in archives.digests {
            question.ask(digest).await?;
        }
        Ok(Self {
            root,
            place,
            tree,
            is_archive,
        })
    }

    /// Opens the storage that holds the content.
    pub(super) async fn storage(&self, reader: &Client) -> Result<Box<dyn ReadStorage>, Error> {
        read_storage(reader, &self.place).await
    }
}

/// The provider archives among the manifests of a source.
struct Archives {
    digests: Vec<Digest>,
    /// The reason why one of the other manifests is not an archive.
    other: Option<oci::Error>,
}

struct Question<'a> {
    reader: &'a Client,
    reference: &'a Reference,
    place: &'a Reference,
    /// The storage with the manifests and their referrers.
    storage: &'a dyn ReadStorage,
    /// The digest of the manifest, or of the index, that the reference names.
    root: &'a Digest,
}

impl Question<'_> {
    /// Finds the archives in `tree`.
    fn archives(&self, tree: &Tree) -> Result<Archives, Error> {
        let mut archives = Archives {
            digests: Vec::new(),
            other: None,
        };
        let manifests = tree.manifests.iter();
        for (manifest, bytes) in
            manifests.filter(|(manifest, _)| !media_type::is_index(&manifest.media_type))
        {
            let name = self.reference.to_string();
            match Artifact::parse(manifest.clone(), bytes.clone(), &name) {
                Ok(_) => archives.digests.push(manifest.digest.clone()),
                Err(
                    error @ (oci::Error::Component { .. } | oci::Error::UnsupportedArtifact { .. }),
                ) => archives.other = Some(error),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(archives)
    }

    /// Whether the reference must name an archive.
    async fn demands_archive(&self, source: &MirrorSource) -> Result<bool, Error> {
        let is_certain = source.is_provider || self.reader.lock.is_some();
        Ok(is_certain || self.reader.pin(self.reference).await?.is_some())
    }

    /// Checks that the archive with this manifest may be used under the reference.
    async fn ask(&self, digest: Digest) -> Result<(), Error> {
        let place = self.place.with_digest(digest.clone());
        let lookup = Lookup::start(self.reader, &place, &Target::host()).await?;
        let claims = trust_report::claims(&lookup).await?;
        let rotation = lookup.admission().rotation().cloned();
        let index = (digest != *self.root).then_some(self.root);
        let admission = Admission::new(self.reader, self.reference, digest, rotation);
        admission.check(&claims).await?;
        admission.check_identity(index, self.storage).await
    }
}
