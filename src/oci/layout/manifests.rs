//! The manifests of a layout in a directory or in a file, with their subjects and descriptions.

use std::path::Path;

use crate::content::{Descriptor, Digest};

use super::super::error::Error;
use super::super::manifest::describe;
use super::super::referrers::Declaration;
use super::declared::{Declared, Declares};
use super::directory::Layout;
use super::files::read;
use super::index::Index;

/// The index and the manifests of a layout. Each method blocks.
pub(crate) trait Manifests: Send + Sync {
    /// Reads the list of the manifests.
    fn read_index(&self) -> Result<Index, Error>;

    /// Returns whether a blob is in the layout.
    fn has_blob(&self, digest: &Digest) -> bool;

    /// Reads a blob of at most [`MANIFEST_LIMIT`](super::super::manifest::MANIFEST_LIMIT) bytes. It is not verified.
    ///
    /// # Errors
    ///
    /// [`Error::NotInLayout`] when the blob is not in the layout, [`Error::TooLarge`], and [`Error::File`].
    fn read_blob(&self, digest: &Digest) -> Result<Vec<u8>, Error>;

    /// Returns the directory or the file of the layout, for errors.
    fn place(&self) -> &Path;

    /// Returns the subjects and descriptions of the manifests that were read.
    fn known(&self) -> &Declared;

    /// Returns the referrers of `subject` that are stored, and that are added to the list later.
    fn unlisted(&self, _subject: &Digest) -> Vec<Digest> {
        Vec::new()
    }
}

impl Manifests for Layout {
    fn read_index(&self) -> Result<Index, Error> {
        Index::read(&self.directory)
    }

    fn has_blob(&self, digest: &Digest) -> bool {
        self.blob(digest).exists()
    }

    fn read_blob(&self, digest: &Digest) -> Result<Vec<u8>, Error> {
        read(&self.blob(digest))
    }

    fn place(&self) -> &Path {
        &self.directory
    }

    fn known(&self) -> &Declared {
        &self.declared
    }
}

/// Returns the only manifest of the layout, with or without a name. Manifests that belong to another manifest do not
/// count.
pub(super) fn only(layout: &dyn Manifests) -> Result<Descriptor, Error> {
    let index = layout.read_index()?;
    index.only(|digest| Ok(declared(layout, digest)?.is_some()))
}

/// Returns the subject of a manifest and its description as a referrer. `None` when it has no subject, or is not in the
/// layout.
pub(super) fn declared(layout: &dyn Manifests, digest: &Digest) -> Result<Declares, Error> {
    if !layout.has_blob(digest) {
        return Ok(None);
    }
    layout.known().get(digest, || {
        let bytes = match layout.read_blob(digest) {
            // A blob of this size is not a manifest.
            Err(Error::TooLarge { .. }) => return Ok(None),
            bytes => bytes?,
        };
        let Some(descriptor) = describe(digest, &bytes)? else {
            return Ok(None);
        };
        let declared = Declaration::of(&bytes);
        Ok(declared.map(|declared| (declared.subject.clone(), declared.describe(descriptor))))
    })
}
