//! The referrers of a layout.
//!
//! They are in an index under the tag of a digest, as in a registry without a referrers API. ORAS lists them in the index of
//! the layout itself, without a name.

use std::collections::HashSet;
use std::sync::Arc;

use crate::content::{Descriptor, Digest, Referrer};

use super::super::error::Error;
use super::super::manifest::verify;
use super::super::media_type;
use super::super::referrers::{Declaration, ReferrersIndex, referrers_tag};
use super::directory::Layout;
use super::files::{create_blob, read};
use super::index::{self, Index};

impl Layout {
    /// Returns the referrers of `subject`, each one once. Blocks.
    pub(super) fn read_referrers(&self, subject: &Digest) -> Result<Vec<Referrer>, Error> {
        let index = Index::read(&self.directory)?;
        let list = index.find_name(&referrers_tag(subject))?;
        let list = self.read_list(subject, list.as_ref())?;
        let listed = list.referrers(&self.what_listed(subject))?.into_iter();
        let listed = listed.map(|referrer| referrer.descriptor);
        let others = index.digests().into_iter().map(|digest| Descriptor {
            media_type: String::new(),
            digest,
            size: 0,
        });
        let mut seen = HashSet::new();
        let mut referrers = Vec::new();
        for descriptor in listed.chain(others) {
            if !seen.insert(descriptor.digest.clone()) {
                continue;
            }
            let declared = self.declared(&descriptor.digest)?;
            if let Some(declared) = declared.filter(|declared| declared.0 == *subject) {
                referrers.push(declared.1.clone());
            }
        }
        Ok(referrers)
    }

    /// Puts a manifest, which the layout holds, on the list of the referrers of `subject`. Blocks, also while another
    /// process changes the index of the layout.
    pub(super) fn list_referrer(&self, subject: &Digest, referrer: &Referrer) -> Result<(), Error> {
        index::replace_list(&self.directory, subject, |before| {
            let mut list = self.read_list(subject, before.as_ref())?;
            if list.lists(&referrer.descriptor.digest) {
                return Ok(None);
            }
            list.add(referrer);
            let bytes = list.to_bytes(&self.what_listed(subject))?;
            let descriptor = Descriptor::of(media_type::OCI_INDEX, &bytes);
            create_blob(&self.blob(&descriptor.digest), &bytes)?;
            Ok(Some(descriptor))
        })
    }

    /// Reads the list `descriptor` of the referrers of `subject`. `cosign copy` makes the tag of a list name the subject
    /// itself, which is no list.
    fn read_list(
        &self,
        subject: &Digest,
        descriptor: Option<&Descriptor>,
    ) -> Result<ReferrersIndex, Error> {
        let descriptor = match descriptor {
            Some(descriptor) if descriptor.digest != *subject => descriptor,
            _ => return Ok(ReferrersIndex::empty()),
        };
        let what = self.what_listed(subject);
        if descriptor.media_type != media_type::OCI_INDEX {
            let reason = format!("it is `{}`, not an image index", descriptor.media_type);
            return Err(Error::malformed(what, reason));
        }
        let bytes = read(&self.blob(&descriptor.digest))?;
        verify(descriptor, &bytes, || what.clone())?;
        ReferrersIndex::parse(&bytes, &what)
    }

    /// Returns the subject of a manifest and its description as a referrer. `None`: it has no subject, or the layout does not
    /// hold it.
    pub(super) fn declared(
        &self,
        digest: &Digest,
    ) -> Result<Option<Arc<(Digest, Referrer)>>, Error> {
        let path = self.blob(digest);
        if !path.exists() {
            return Ok(None);
        }
        self.declared.get(digest, || {
            let bytes = match read(&path) {
                // It is no manifest.
                Err(Error::TooLarge { .. }) => return Ok(None),
                bytes => bytes?,
            };
            let Some(media_type) = media_type::of_manifest(&bytes) else {
                return Ok(None);
            };
            let descriptor = Descriptor {
                media_type: media_type.to_owned(),
                digest: digest.clone(),
                size: bytes.len() as u64,
            };
            verify(&descriptor, &bytes, || format!("manifest {digest}"))?;
            let declared = Declaration::of(&bytes);
            Ok(declared.map(|declared| (declared.subject.clone(), declared.describe(descriptor))))
        })
    }

    fn what_listed(&self, subject: &Digest) -> String {
        let directory = self.directory.display();
        format!("list of what refers to {subject} of {directory}")
    }
}
