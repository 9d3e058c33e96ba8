//! The repository or the layout in a mirror for one reference, and its content.

use futures_util::{StreamExt, TryStreamExt, stream};

use crate::content::{
    Descriptor, Digest, ErrorKind, ManifestName, ReadStorage, StoreError, Stored,
};
use crate::oci::{ReadLayout, Reference, Repository};

use super::super::client::Client;
use super::super::error::Error;
use super::super::lookup::read_layout;
use super::super::require::require_name;
use super::super::transfer::Tree;

/// How many requests are sent at a time.
const AT_A_TIME: usize = 8;

/// The repository or the layout in a mirror for one reference.
pub(super) enum MirrorPlace {
    Registry(Repository),
    Layout(Box<dyn ReadLayout>),
    /// An image layout that does not exist yet.
    Nowhere,
}

impl MirrorPlace {
    pub(super) async fn open(writer: &Client, target: &Reference) -> Result<Self, Error> {
        let layout = match target {
            Reference::Registry(place) => {
                let repository = writer.registries.repository(place);
                return Ok(Self::Registry(repository.without_mirrors()));
            }
            Reference::Layout(layout) => layout,
        };
        match read_layout(writer, layout).await {
            Ok(layout) => Ok(Self::Layout(layout)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Self::Nowhere),
            Err(error) => Err(error),
        }
    }

    pub(super) fn storage(&self) -> Option<&dyn ReadStorage> {
        match self {
            Self::Registry(repository) => Some(repository),
            Self::Layout(storage) => Some(storage.as_ref()),
            Self::Nowhere => None,
        }
    }

    /// Returns the digest of the manifest that the tag of `target` names.
    pub(super) async fn digest_of(&self, target: &Reference) -> Result<Option<Digest>, Error> {
        let by_tag = match target.tag() {
            Some(tag) => ManifestName::Tag(tag.to_owned()),
            None => require_name(target)?,
        };
        let Some(storage) = self.storage() else {
            return Ok(None);
        };
        Ok(found(storage.resolve(&by_tag).await)?.map(|manifest| manifest.digest))
    }

    /// Counts the bytes of `tree` that the mirror has, and the bytes that it lacks.
    pub(super) async fn count(&self, tree: &Tree) -> Result<Stored, Error> {
        let blobs = tree.blobs.iter().map(|blob| &blob.descriptor);
        let manifests = tree.manifests.iter().map(|(manifest, _)| manifest);
        let counts: Vec<_> = blobs
            .chain(manifests)
            .map(|content| self.count_one(content))
            .collect();
        let counts = stream::iter(counts).buffer_unordered(AT_A_TIME);
        let sum = async |sum: Stored, one: Stored| Ok(sum.and(one));
        counts.try_fold(Stored::default(), sum).await
    }

    async fn count_one(&self, content: &Descriptor) -> Result<Stored, Error> {
        let holds = match self {
            Self::Registry(repository) => repository.holds(content).await?,
            Self::Layout(layout) => match found(layout.open(content, None).await) {
                // A blob of another size is damaged.
                Err(error) if error.kind() == ErrorKind::NotVerified => false,
                opened => opened?.is_some(),
            },
            Self::Nowhere => false,
        };
        Ok(if holds {
            Stored::existing(content.size)
        } else {
            Stored::sent(content.size)
        })
    }
}

/// Returns `None` in place of an error which says that something does not exist.
fn found<T>(answer: Result<T, StoreError>) -> Result<Option<T>, Error> {
    match answer {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}
