//! The referrers of a layout, in a directory or in a file.
//!
//! They are on a list, which is an index whose tag has the form of a digest, as in a registry without a referrers API.
//! ORAS instead lists them in the index of the layout itself, without a name.

use std::collections::HashSet;

use async_trait::async_trait;

use crate::content::{Descriptor, Digest, Referrer, Referrers, StoreError, blocking};

use super::super::error::Error;
use super::super::manifest::verify;
use super::super::media_type;
use super::super::referrers::{ReferrersIndex, referrers_tag};
use super::changes;
use super::directory::Layout;
use super::files::create_blob;
use super::manifests::{Manifests, declared};
use super::reading::ReadLayout;

#[async_trait]
impl<T: ReadLayout> Referrers for T {
    /// Returns the referrers on the list, and those in the index of the layout. A referrer on the list whose manifest
    /// is missing or damaged is returned with the description on the list.
    async fn referrers(
        &self,
        subject: &Digest,
        artifact_type: Option<&str>,
    ) -> Result<Vec<Referrer>, StoreError> {
        let (layout, subject) = (self.manifests().await, subject.clone());
        let mut referrers = blocking(move || read_referrers(layout.as_ref(), &subject)).await?;
        referrers.retain(|referrer| {
            artifact_type.is_none() || referrer.artifact_type.as_deref() == artifact_type
        });
        Ok(referrers)
    }

    async fn tags_at_once(&self) -> Result<Option<Vec<String>>, StoreError> {
        Ok(Some(self.tags().await?))
    }
}

/// Returns the referrers of `subject`, each one once. Blocks.
fn read_referrers(layout: &dyn Manifests, subject: &Digest) -> Result<Vec<Referrer>, Error> {
    let index = layout.read_index()?;
    let list = index.find_name(&referrers_tag(subject))?;
    let list = read_list(layout, subject, list.as_ref())?;
    let listed = list.referrers(&what_listed(layout, subject)).into_iter();
    let listed = listed.map(|referrer| (referrer.descriptor.digest.clone(), Some(referrer)));
    let others = index.digests().into_iter().chain(layout.unlisted(subject));
    let others = others.map(|digest| (digest, None));
    let mut seen = HashSet::new();
    let mut referrers = Vec::new();
    for (digest, listed) in listed.chain(others) {
        if !seen.insert(digest.clone()) {
            continue;
        }
        match (declared(layout, &digest)?, listed) {
            (Some(declared), _) if declared.0 == *subject => referrers.push(declared.1.clone()),
            // The caller will find that this manifest is missing or damaged. Without this entry, the list would seem
            // complete.
            (None, Some(listed)) if !is_intact(layout, &listed) => referrers.push(listed),
            _ => {}
        }
    }
    Ok(referrers)
}

/// Returns whether the manifest of a referrer is in the layout and undamaged. Blocks.
fn is_intact(layout: &dyn Manifests, listed: &Referrer) -> bool {
    let descriptor = &listed.descriptor;
    let bytes = layout.read_blob(&descriptor.digest);
    bytes.is_ok_and(|bytes| verify(descriptor, &bytes, String::new).is_ok())
}

/// Adds manifests of `layout` to the list of the referrers of `subject`, and writes the list to `changed`, which has
/// the index of `layout`. Returns the digest of the new list, or `None` if nothing was written. Blocks, also while
/// another process changes the index of `changed`.
pub(in crate::oci) fn list_referrers<'a>(
    layout: &dyn Manifests,
    changed: &Layout,
    subject: &Digest,
    referrers: impl IntoIterator<Item = &'a Referrer>,
) -> Result<Option<Digest>, Error> {
    let mut written = None;
    changes::replace_list(&changed.directory, subject, |before| {
        let mut list = read_list(layout, subject, before.as_ref())?;
        let mut is_changed = false;
        for referrer in referrers {
            is_changed |= !list.lists(&referrer.descriptor.digest);
            list.add(referrer);
        }
        if !is_changed {
            return Ok(None);
        }
        let bytes = list.to_bytes(&what_listed(layout, subject))?;
        let descriptor = Descriptor::of(media_type::OCI_INDEX, &bytes);
        create_blob(&changed.blob(&descriptor.digest), &bytes)?;
        written = Some(descriptor.digest.clone());
        Ok(Some(descriptor))
    })?;
    Ok(written)
}

/// Reads `descriptor`, the list of the referrers of `subject`. After `cosign copy`, the tag of the list may name the
/// subject itself. That is treated as an empty list.
fn read_list(
    layout: &dyn Manifests,
    subject: &Digest,
    descriptor: Option<&Descriptor>,
) -> Result<ReferrersIndex, Error> {
    let descriptor = match descriptor {
        Some(descriptor) if descriptor.digest != *subject => descriptor,
        _ => return Ok(ReferrersIndex::empty()),
    };
    let what = what_listed(layout, subject);
    if descriptor.media_type != media_type::OCI_INDEX {
        let reason = format!("it is `{}`, not an image index", descriptor.media_type);
        return Err(Error::malformed(what, reason));
    }
    let bytes = layout.read_blob(&descriptor.digest)?;
    verify(descriptor, &bytes, || what.clone())?;
    ReferrersIndex::parse(&bytes, &what)
}

fn what_listed(layout: &dyn Manifests, subject: &Digest) -> String {
    let place = layout.place().display();
    format!("list of the referrers of {subject} in {place}")
}
