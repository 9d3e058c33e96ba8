//! Push: from a file to a reference, in three steps. The archive is hashed, verified and uploaded.

use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use crate::archive::{Contents, Dates, Index, verify_file_with};
use crate::content::{Descriptor, Digest, Step, Stored};
use crate::oci::{Artifact, Reference, media_type};
use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::about::about;
use super::attachments::{Attached, Attaching, Prepared};
use super::error::Error;
use super::lookup::{Storage, push_storage};
use super::publisher::Publisher;
use super::push_options::PushOptions;
use super::require::{require_digest, require_name};
use super::signed::{Attested, Signing};
use super::tagging::{TagChange, TagIdentity, Tagging};
use super::transfer::{
    MeteredSource, UnchangedFile, UploadAccess, hash, neighbour, put_blob, remember, spool,
};
use super::{Client, annotations, blocking, note_digest};

/// An archive that was verified and pushed.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Pushed {
    /// The reference that it was pushed to.
    pub reference: Reference,
    /// The digest of the manifest.
    pub digest: Digest,
    /// The contents of the archive.
    pub contents: Contents,
    /// The tags that name the manifest now, and what they named before.
    pub tags: Vec<TagChange>,
    /// The attachments of the options, in their order.
    pub attached: Vec<Attached>,
    /// The signature of the manifest. `None`: the options have no signer, or it was a dry run.
    pub signature: Option<Attested>,
    /// How many bytes of blobs were sent, without those of attachments. The manifest does not count. A dry run sends none.
    pub sent: u64,
    /// How many bytes of blobs the registry took over from another of its repositories.
    pub mounted: u64,
    /// How many bytes of blobs were there already.
    pub existing: u64,
}

impl Client {
    /// Verifies the archive at `path` and pushes it to `reference`. `options` are [`PushOptions`], or a map
    /// of annotations for the manifest. The tag of `reference` and those of the options are moved to the
    /// manifest in the last step, after what the options attach to it. Blobs that the registry has are not sent again.
    ///
    /// The layer gets the name of the repository as its title, so the digest does not depend on the name of
    /// the file.
    ///
    /// The registry is asked first whether it takes uploads, so that a credential that it refuses is
    /// reported before the archive is read. Nothing is sent of an archive that does not verify.
    ///
    /// When `reference` has a digest, the manifest must have that digest.
    ///
    /// # Errors
    ///
    /// [`Error`] of the archive, also when its file changes during the push, of the trust policy or of the registry;
    /// [`Error::OtherDigest`], [`Error::TagExists`], [`Error::TagIdentity`], [`Error::OtherRotation`],
    /// [`Error::Signing`]. No tag is moved then.
    #[tracing::instrument(skip_all, fields(%reference, digest))]
    pub async fn push(
        &self,
        path: &Path,
        reference: &Reference,
        options: impl Into<PushOptions>,
    ) -> Result<Pushed, Error> {
        let (client, options) = (&about(self, reference), options.into());
        let _turn = self.turn().await;
        let file = open(path).await?;
        let (push, access) = Push::begin(client, reference, &options).await?;
        let layer = access.cancel_during(push.hash(&file)).await?;
        let contents = push.verify(&file).await?;
        push.upload(&file, &layer, contents).await
    }

    /// [Pushes](Self::push) an archive that can be read only once, such as standard input. The
    /// archive is kept in a temporary file that only this user can read.
    ///
    /// `name` names the input in errors, as a path does. At most
    /// [`Limits::total`](crate::archive::Limits::total) bytes are kept.
    ///
    /// The input is read on a thread of its own: dropping the future does not wait for it, and removes
    /// the file.
    ///
    /// # Errors
    ///
    /// As [`push`](Self::push), or [`Error::Write`] for the temporary file.
    #[tracing::instrument(skip_all, fields(%reference, digest))]
    pub async fn push_from(
        &self,
        input: impl Read + Send + 'static,
        name: &str,
        reference: &Reference,
        options: impl Into<PushOptions>,
    ) -> Result<Pushed, Error> {
        let (client, options) = (&about(self, reference), options.into());
        let (push, access) = Push::begin(client, reference, &options).await?;
        // The archive is verified while it is written to the file, so that an input without an end is noticed.
        let (path, contents) = access.cancel_during(spool(client, input, name)).await?;
        // The turn is taken only now, because the input may never end.
        let _turn = self.turn().await;
        let file = open(&path).await?;
        let layer = push.hash(&file).await?;
        push.upload(&file, &layer, contents).await
    }
}

/// One push: the destination of the archive, and the options.
struct Push<'a> {
    client: &'a Client,
    reference: &'a Reference,
    options: &'a PushOptions,
    tagging: Tagging<'a>,
    /// What signs the manifest.
    signing: Option<Signing<'a>>,
}

impl<'a> Push<'a> {
    /// Checks everything that can be checked without the archive.
    ///
    /// The futures of this and of [`upload`](Self::upload) are boxed here, so that they are compiled once, and not in
    /// each program that pushes.
    fn begin(
        client: &'a Client,
        reference: &'a Reference,
        options: &'a PushOptions,
    ) -> BoxFuture<'a, Result<(Self, UploadAccess), Error>> {
        Self::check(client, reference, options).boxed()
    }

    async fn check(
        client: &'a Client,
        reference: &'a Reference,
        options: &'a PushOptions,
    ) -> Result<(Self, UploadAccess), Error> {
        let tags = options.tags.iter().map(String::as_str);
        let tagging = Tagging::new(reference, tags, options.if_absent)?.with_own_tag();
        if tagging.is_empty() {
            require_name(reference)?;
        }
        annotations::check(&options.annotations)?;
        for attachment in &options.attachments {
            attachment.check()?;
        }
        // First, so that a missing token is reported before the archive is hashed.
        let signing = match &options.sigstore {
            Some(signer) => Some(Signing::begin(client, reference, signer).await?),
            None => None,
        };
        let access = if options.dry_run {
            UploadAccess::none()
        } else {
            UploadAccess::ask(client, reference).await?
        };
        let push = Self {
            client,
            reference,
            options,
            tagging,
            signing,
        };
        Ok((push, access))
    }

    /// Hashes the archive: returns the descriptor of its layer.
    async fn hash(&self, file: &UnchangedFile) -> Result<Descriptor, Error> {
        hash(self.client, file, media_type::PROVIDER_ARCHIVE_LAYER).await
    }

    /// Verifies the archive, on all cores.
    async fn verify(&self, file: &UnchangedFile) -> Result<Contents, Error> {
        let file = file.clone();
        let verifying = self.client.blocking(move |client| {
            let mut input = file.reader()?;
            let (limits, progress) = (&client.limits, client.progress.as_ref());
            let contents = verify_file_with(&mut input, limits, Dates::ValidLater, progress);
            Ok(contents.map_err(|error| error.in_archive(file.path()))?)
        });
        verifying.await
    }

    /// Uploads the archive, which is verified, and then its manifest with the tags.
    fn upload<'b>(
        &'b self,
        file: &'b UnchangedFile,
        layer: &'b Descriptor,
        contents: Contents,
    ) -> BoxFuture<'b, Result<Pushed, Error>> {
        self.upload_verified(file, layer, contents).boxed()
    }

    async fn upload_verified(
        &self,
        file: &UnchangedFile,
        layer: &Descriptor,
        contents: Contents,
    ) -> Result<Pushed, Error> {
        let (client, reference) = (self.client, self.reference);
        let trusted = client.trust.check(&contents.claims, reference);
        trusted.or_else(|refusal| client.trust.warn_or_refuse(Some(reference), refusal))?;
        self.check_rotation(&contents)?;
        if let Some(error) = contents.claims.not_yet_valid() {
            tracing::warn!("hosts cannot use {reference} yet: {error}");
        }
        let artifact = self.artifact(file, layer, &contents).await?;
        let mut attachments = Vec::new();
        for attachment in &self.options.attachments {
            let signed = contents.claims.issued_at();
            attachments.push(Prepared::new(client, attachment, signed).await?);
        }
        let sent = self.send(file, layer, &artifact, &contents, &attachments);
        let Sent {
            tags,
            stored,
            attached,
            signature,
        } = sent.await?;
        Ok(Pushed {
            reference: reference.clone(),
            digest: artifact.descriptor().digest.clone(),
            contents,
            tags,
            attached,
            signature,
            sent: stored.sent,
            mounted: stored.mounted,
            existing: stored.existing,
        })
    }

    /// Refuses a rotation statement about other keys than those of the archive, which no host would follow.
    fn check_rotation(&self, contents: &Contents) -> Result<(), Error> {
        let claims = &contents.claims;
        match &self.options.rotation {
            Some(rotation) if !rotation.fits(claims) => Err(Error::OtherRotation {
                reference: self.reference.to_string(),
                successor: rotation.to().to_string(),
                providers: rotation
                    .providers()
                    .iter()
                    .map(ToString::to_string)
                    .collect(),
                issuer: claims.issuer().to_string(),
                subject: claims.subject().to_string(),
            }),
            _ => Ok(()),
        }
    }

    /// Sends the archive, its manifest and the attachments, and then moves the tags. A dry run changes nothing.
    async fn send(
        &self,
        file: &UnchangedFile,
        layer: &Descriptor,
        artifact: &Artifact,
        contents: &Contents,
        attachments: &[Prepared<'_>],
    ) -> Result<Sent, Error> {
        let (client, reference) = (self.client, self.reference);
        let (manifest, bytes) = (artifact.descriptor(), artifact.manifest());
        let options = self.options;
        if options.dry_run && is_new_layout(reference) {
            let attached = attachments.iter();
            return Ok(Sent {
                tags: self.tagging.all_new(),
                stored: Stored::default(),
                attached: attached.map(|one| one.planned(manifest)).collect(),
                signature: None,
            });
        }
        let storage = push_storage(client, reference).await?;
        let storage = storage.as_ref();
        let mut changes = self.tagging.changes(storage, &manifest.digest).await?;
        if !options.change_identity {
            let rotation = options.rotation.as_ref();
            let publisher = async || Ok(Publisher::new(&contents.claims, rotation));
            let identity = TagIdentity::new(client, &self.tagging, storage);
            let kept = identity.keep(&changes, &manifest.digest, publisher);
            kept.await?;
        }
        if options.dry_run {
            return Ok(Sent {
                tags: changes,
                stored: Stored::default(),
                attached: self.attach(storage, manifest, attachments).await?,
                signature: None,
            });
        }
        let from = neighbour(client, reference, &layer.digest).await;
        let source = MeteredSource::new(file, layer, Step::Uploading, client.progress.as_ref());
        let archive = put_blob(storage, layer, from.as_deref(), &source).await?;
        let config = Bytes::from_static(Artifact::CONFIG_BODY);
        let config = storage.put_blob(artifact.config(), &config).await?;
        if options.if_absent {
            // The upload may have taken long, so the tags may name other manifests by now.
            changes = self.tagging.changes(storage, &manifest.digest).await?;
        }
        if changes.is_empty() || !attachments.is_empty() || self.signing.is_some() {
            storage.put_manifest(manifest, bytes, None).await?;
        }
        // The tags are moved after this, so that a manifest with a tag always has its attachments.
        let attached = self.attach(storage, manifest, attachments).await?;
        let signature = match &self.signing {
            Some(signing) => Some(signing.sign(storage, manifest).await?),
            None => None,
        };
        if options.if_absent && (!attachments.is_empty() || self.signing.is_some()) {
            // Signing may have taken long too.
            changes = self.tagging.changes(storage, &manifest.digest).await?;
        }
        for change in &changes {
            let tag = Some(change.tag.as_str());
            storage.put_manifest(manifest, bytes, tag).await?;
        }
        storage.finish().await?;
        remember(client, reference, artifact.layers()).await;
        Ok(Sent {
            tags: changes,
            stored: archive.and(config),
            attached,
            signature,
        })
    }

    /// Attaches what the options name to the manifest, unless this is a dry run.
    async fn attach(
        &self,
        storage: &dyn Storage,
        manifest: &Descriptor,
        attachments: &[Prepared<'_>],
    ) -> Result<Vec<Attached>, Error> {
        let mut attached = Vec::new();
        let attaching = Attaching::new(self.client, storage, manifest);
        for attachment in attachments {
            let dry_run = self.options.dry_run;
            attached.push(attaching.attach(attachment, dry_run).await?);
        }
        Ok(attached)
    }

    /// Builds the manifest, and checks that it has the digest of the reference.
    async fn artifact(
        &self,
        file: &UnchangedFile,
        layer: &Descriptor,
        contents: &Contents,
    ) -> Result<Artifact, Error> {
        let (file, limits) = (file.clone(), Arc::clone(&self.client.limits));
        let locating = blocking(move || {
            let index = Index::locate(&mut file.reader()?, &limits);
            Ok(index.map_err(|error| error.in_archive(file.path()))?)
        });
        let index = locating.await?;
        let theirs = &self.options.annotations;
        let annotations = annotations::complete(theirs, &contents.claims, index.as_ref());
        let rotation = self.options.rotation.as_ref();
        let annotations = annotations::with_rotation(annotations, rotation);
        let extension = contents.compression.extension();
        let title = format!("{}.{extension}", self.reference.file_stem());
        let artifact = Artifact::build(layer, Some(&title), &annotations);
        let actual = &artifact.descriptor().digest;
        note_digest(actual);
        require_digest(self.reference, self.reference.digest(), actual)?;
        Ok(artifact)
    }
}

/// What a push has changed at its destination.
struct Sent {
    /// The tags, and what they named before.
    tags: Vec<TagChange>,
    /// How many bytes of blobs were sent, mounted, or there already.
    stored: Stored,
    attached: Vec<Attached>,
    signature: Option<Attested>,
}

/// Returns whether `reference` names an image layout that a push would create.
fn is_new_layout(reference: &Reference) -> bool {
    let Reference::Layout(place) = reference else {
        return false;
    };
    let entries = place.path().read_dir();
    !place.path().exists() || entries.is_ok_and(|mut entries| entries.next().is_none())
}

async fn open(path: &Path) -> Result<UnchangedFile, Error> {
    let path = path.to_owned();
    blocking(move || UnchangedFile::open(&path)).await
}
