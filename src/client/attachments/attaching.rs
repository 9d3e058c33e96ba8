//! Attaching prepared content to a manifest.

use std::time::SystemTime;

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};

use crate::content::{Descriptor, Digest, ErrorKind, ManifestName, Source, Step};
use crate::oci::annotation_names::CREATED;
use crate::oci::{AttachmentManifest, DescribedManifest};

use super::super::error::Error;
use super::super::lookup::Storage;
use super::super::transfer::{MeteredSource, UnchangedFile, hash};
use super::super::{Client, blocking};
use super::attachment::{AttachedContent, Attachment};

/// How many manifests are compared at a time.
const AT_A_TIME: usize = 4;

/// Content that is attached to a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Attached {
    /// The digest of the manifest of the attachment.
    pub digest: Digest,
    /// The digest of the manifest that the content is attached to.
    pub subject: Digest,
    /// The type of the artifact.
    pub artifact_type: String,
    /// The content: its media type, its digest and its size.
    pub content: Descriptor,
    /// Whether an attachment with the same content, type, title and annotations existed already. Their times may differ.
    /// If so, nothing was sent, and `digest` is the digest of the existing manifest.
    pub existed: bool,
}

/// An attachment with the digest and the size of its content.
pub(in crate::client) struct Prepared<'a> {
    attachment: &'a Attachment,
    content: Descriptor,
    /// The bytes of the content.
    source: Box<dyn Source>,
    now: SystemTime,
}

impl<'a> Prepared<'a> {
    /// Hashes the content of `attachment`. `now` is the time of an attachment without one.
    pub(in crate::client) async fn new(
        client: &Client,
        attachment: &'a Attachment,
        now: SystemTime,
    ) -> Result<Self, Error> {
        attachment.check()?;
        let media_type = attachment.content_type();
        let (content, source): (_, Box<dyn Source>) = match &attachment.content {
            AttachedContent::Bytes(bytes) => {
                (Descriptor::of(media_type, bytes), Box::new(bytes.clone()))
            }
            AttachedContent::File(path) => {
                let path = path.clone();
                let file = blocking(move || UnchangedFile::open(&path)).await?;
                (hash(client, &file, media_type).await?, Box::new(file))
            }
        };
        Ok(Self {
            attachment,
            content,
            source,
            now,
        })
    }

    fn manifest(&self, subject: &Descriptor) -> AttachmentManifest {
        let attachment = self.attachment;
        AttachmentManifest::build(
            subject,
            &attachment.artifact_type,
            &self.content,
            attachment.title.as_deref(),
            attachment.embedded_content(),
            &attachment.manifest_annotations(self.now),
        )
    }

    /// Returns the result of attaching to `subject`, which need not be stored yet. Sends nothing.
    pub(in crate::client) fn planned(&self, subject: &Descriptor) -> Attached {
        let manifest = self.manifest(subject);
        self.attached(manifest.descriptor().digest.clone(), subject, false)
    }

    fn attached(&self, digest: Digest, subject: &Descriptor, existed: bool) -> Attached {
        Attached {
            digest,
            subject: subject.digest.clone(),
            artifact_type: self.attachment.artifact_type.clone(),
            content: self.content.clone(),
            existed,
        }
    }

    /// Returns whether another manifest is the same attachment. Only its time may differ.
    fn is_same(&self, other: &DescribedManifest, subject: &Descriptor) -> bool {
        let [layer] = other.layers.as_slice() else {
            return false;
        };
        let mut annotations = self.attachment.annotations.clone();
        let mut theirs = other.annotations.clone();
        annotations.remove(CREATED);
        theirs.remove(CREATED);
        other.subject.as_ref() == Some(&subject.digest)
            && other.artifact_type.as_deref() == Some(&self.attachment.artifact_type)
            && layer.descriptor == self.content
            && layer.title == self.attachment.title
            && theirs == annotations
    }
}

/// Attaches content to one manifest in one storage.
pub(in crate::client) struct Attaching<'a> {
    client: &'a Client,
    storage: &'a dyn Storage,
    subject: &'a Descriptor,
}

impl<'a> Attaching<'a> {
    pub(in crate::client) fn new(
        client: &'a Client,
        storage: &'a dyn Storage,
        subject: &'a Descriptor,
    ) -> Self {
        Self {
            client,
            storage,
            subject,
        }
    }

    /// Attaches content, unless the same attachment exists already or this is a dry run.
    pub(in crate::client) async fn attach(
        &self,
        prepared: &Prepared<'_>,
        dry_run: bool,
    ) -> Result<Attached, Error> {
        if let Some(existing) = self.existing(prepared).await? {
            return Ok(prepared.attached(existing, self.subject, true));
        }
        if dry_run {
            return Ok(prepared.planned(self.subject));
        }
        self.attach_new(prepared).await
    }

    /// Attaches content without looking for an existing attachment.
    pub(in crate::client) async fn attach_new(
        &self,
        prepared: &Prepared<'_>,
    ) -> Result<Attached, Error> {
        let manifest = prepared.manifest(self.subject);
        self.send(prepared, &manifest).await?;
        let digest = manifest.descriptor().digest.clone();
        Ok(prepared.attached(digest, self.subject, false))
    }

    /// Sends the content, and then the manifest that names it.
    async fn send(
        &self,
        prepared: &Prepared<'_>,
        manifest: &AttachmentManifest,
    ) -> Result<(), Error> {
        let progress = self.client.progress.as_ref();
        let (source, content) = (prepared.source.as_ref(), &prepared.content);
        let source = MeteredSource::new(source, content, Step::Uploading, progress);
        self.storage.put_blob(content, &source).await?;
        let config = Bytes::from_static(AttachmentManifest::CONFIG_BODY);
        self.storage.put_blob(manifest.config(), &config).await?;
        let (descriptor, bytes) = (manifest.descriptor(), manifest.bytes());
        Ok(self.storage.put_manifest(descriptor, bytes, None).await?)
    }

    /// Returns the digest of an existing manifest of the same attachment.
    async fn existing(&self, prepared: &Prepared<'_>) -> Result<Option<Digest>, Error> {
        let Some(referrers) = self.storage.as_referrers() else {
            return Ok(None);
        };
        let artifact_type = Some(prepared.attachment.artifact_type.as_str());
        let listed = referrers.referrers(&self.subject.digest, artifact_type);
        let listed = listed.await?.into_iter();
        let compared: Vec<_> = listed
            .map(|referrer| self.same(prepared, referrer.descriptor.digest))
            .collect();
        let mut compared = stream::iter(compared).buffered(AT_A_TIME);
        while let Some(same) = compared.try_next().await? {
            if same.is_some() {
                return Ok(same);
            }
        }
        Ok(None)
    }

    /// Returns the digest of a listed manifest if it is the same attachment. Returns `None` for a manifest that does not
    /// exist or is malformed.
    async fn same(&self, prepared: &Prepared<'_>, digest: Digest) -> Result<Option<Digest>, Error> {
        let name = ManifestName::Digest(digest.clone());
        let (descriptor, bytes) = match self.storage.fetch_manifest(&name).await {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            fetched => fetched?,
        };
        let manifest = DescribedManifest::parse(&descriptor, &bytes);
        let is_same = manifest.is_ok_and(|other| prepared.is_same(&other, self.subject));
        Ok(is_same.then_some(digest))
    }
}
