//! Export: from an archive to a container image for each of its Linux targets.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::Path;

use crate::archive::{Contents, Dates, RequestedTarget, Target, extract_chosen};
use crate::content::{Digest, DigestReader, MeteredReader, Step, Stored};
use crate::oci::{
    self, LayoutFileWriter, LayoutForm, LayoutReference, ReadLayout, Reference, media_type,
};

use super::about::about;
use super::blocking::{Input, blocking};
use super::client::{Client, note_digest};
use super::error::Error;
use super::image::{Archive, Built, ExportOptions, Exported, is_for_images};
use super::lookup::{Extracted, Lookup, Storage, push_storage};
use super::require::require_digest;
use super::tagging::{TagChange, TagIdentity, Tagging};
use super::transfer::UploadAccess;

impl Client {
    /// Verifies the archive that `reference` stands for, and makes a container image of it that needs no wasmCloud
    /// host: an index with a manifest for each Linux target. Other targets are left out with a warning. The
    /// archive is checked against the trust policy as for [`pull`](Self::pull).
    ///
    /// Each manifest has the layers of the base image, if one is given, and one layer with the executable. Containers
    /// run it as the user and the group 65532. The labels have the name, the version, the issuer and the subject of the
    /// claims. The index names the archive as its subject in the repository of the archive, and elsewhere in the
    /// annotation `com.wasmcloud.par.archive`.
    ///
    /// When the destination is a layout in a file, an image without a name replaces the file. An image with a name is
    /// added to the file. A file that is not the tar of a layout stays as it is, which is an error.
    ///
    /// Repeating an export gives the same image. Blobs that the destination has are not sent again. Blobs in another
    /// repository of the same registry are mounted. The tag is moved in the last step.
    ///
    /// # Errors
    ///
    /// [`Error`] of the registries, the cache, the archive or the trust policy; [`Error::NoImageTarget`],
    /// [`Error::Base`], [`Error::ImagePath`], [`Error::ReservedLabel`]; [`Error::TagExists`], [`Error::NotReplaced`] and
    /// [`Error::TagOfArchive`] when the tag may not be moved, or the file may not be replaced. No tag is moved then, and
    /// no file is written.
    pub async fn export(
        &self,
        reference: &Reference,
        destination: &Reference,
        options: &ExportOptions,
    ) -> Result<Exported, Error> {
        self.export_reading(self, reference, destination, options)
            .await
    }

    /// [Exports](Self::export) with another client, `reader`, that reads the archive and the base: its credentials and
    /// its connections are used.
    #[tracing::instrument(name = "export", skip_all, fields(%reference, %destination, digest))]
    pub(crate) async fn export_reading(
        &self,
        reader: &Self,
        reference: &Reference,
        destination: &Reference,
        options: &ExportOptions,
    ) -> Result<Exported, Error> {
        let export = Export::begin(self, reader, destination, options)?;
        let access = export.ask_access().await?;
        let reference = &reader.locked(reference)?;
        let reading = async {
            let lookup = Lookup::start(reader, reference, &Target::host()).await?;
            let chosen = export.chosen();
            let extracted = lookup
                .with_archive(|archive| lookup.extract_chosen(archive, chosen.clone()))
                .await?;
            lookup.record(&extracted.contents.claims, None).await;
            Ok::<_, Error>((lookup, extracted))
        };
        let (lookup, extracted) = access.cancel_during(reading).await?;
        let archive = Archive {
            name: reference.to_string(),
            digest: lookup.digest(),
            annotations: lookup.artifact.annotations().clone(),
            subject: export
                .is_beside(lookup.reference())
                .then(|| lookup.artifact.descriptor().clone()),
        };
        export.run(extracted, archive).await
    }

    /// [Exports](Self::export) an archive that is read once, such as a file or standard input. `name` names it in
    /// errors. The archive is checked against the trust policy for the reference of the destination, as for
    /// [`push`](Self::push). For a destination that is a file, the rules for files apply.
    ///
    /// The input is read on a thread of its own: dropping the future does not wait for it.
    ///
    /// # Errors
    ///
    /// As for [`export`](Self::export).
    pub async fn export_from(
        &self,
        input: impl Read + Send + 'static,
        name: &str,
        destination: &Reference,
        options: &ExportOptions,
    ) -> Result<Exported, Error> {
        self.export_input(self, (input, name), destination, options, false)
            .await
    }

    /// [Exports](Self::export_from) with another client, `reader`, that reads the base. With `by_rules`, the archive
    /// has to satisfy a rule of the trust policy, too.
    #[tracing::instrument(name = "export", skip_all, fields(%destination, digest))]
    pub(crate) async fn export_input(
        &self,
        reader: &Self,
        (input, name): (impl Read + Send + 'static, &str),
        destination: &Reference,
        options: &ExportOptions,
        by_rules: bool,
    ) -> Result<Exported, Error> {
        let export = Export::begin(self, reader, destination, options)?;
        let access = export.ask_access().await?;
        let (chosen, what) = (export.chosen(), name.to_owned());
        // This future owns the directory, so dropping it removes the executables, also while the thread waits for input.
        let directory = blocking(Extracted::make_directory).await?;
        let place = directory.path().to_owned();
        let reading = self.on_own_thread("export", Input::Foreign, move |client| {
            let meter = client.progress.begin(Step::Verifying, 0);
            let mut input = DigestReader::new(MeteredReader::new(input, meter));
            let extracted =
                extract_chosen(&mut input, &place, chosen, &client.limits, Dates::Valid);
            let (contents, files) =
                extracted.map_err(|error| error.in_archive(Path::new(&what)))?;
            let digest = input.finish(media_type::PROVIDER_ARCHIVE_LAYER).digest;
            Ok((contents, files, digest))
        });
        let (contents, files, digest) = access.cancel_during(reading).await?;
        let extracted = Extracted {
            contents,
            files,
            directory,
        };
        // The turn is taken only now, because the input may never end.
        let _turn = self.turn().await;
        export.check_trust(&extracted.contents, name, by_rules)?;
        let archive = Archive {
            name: name.to_owned(),
            digest,
            annotations: BTreeMap::new(),
            subject: None,
        };
        export.run(extracted, archive).await
    }
}

/// One export: the destination of the image, and its options.
struct Export<'a> {
    client: Client,
    /// The client that reads the base.
    reader: &'a Client,
    destination: &'a Reference,
    options: &'a ExportOptions,
}

impl<'a> Export<'a> {
    /// Checks everything that can be checked without the archive.
    fn begin(
        client: &Client,
        reader: &'a Client,
        destination: &'a Reference,
        options: &'a ExportOptions,
    ) -> Result<Self, Error> {
        options.check()?;
        if let (Reference::Registry(_), None) = (destination, destination.name()) {
            return Err(Error::Unnamed(destination.to_string()));
        }
        Ok(Self {
            client: about(client, destination),
            reader,
            destination,
            options,
        })
    }

    /// Asks whether the destination can be written, before the archive is read.
    async fn ask_access(&self) -> Result<UploadAccess, Error> {
        if let Reference::Layout(place) = self.destination
            && replaces_file(place)
        {
            open_replaced(place.path()).await?;
        }
        UploadAccess::ask(&self.client, self.destination).await
    }

    /// Returns the targets that are asked for. Empty: all of them.
    fn requested(&self) -> Vec<RequestedTarget> {
        let targets = self.options.targets.iter().map(RequestedTarget::from);
        targets
            .chain(self.options.requested.iter().cloned())
            .collect()
    }

    /// Returns a function that tells whether the export may need the executable of a target. Which ones it needs is known
    /// when the claims are.
    fn chosen(&self) -> impl Fn(&Target) -> bool + Clone + Send + 'static {
        let requested = self.requested();
        move |target| {
            let mut requests = requested.iter();
            let is_asked = requested.is_empty() || requests.any(|request| request.may_be(target));
            is_for_images(target) && is_asked
        }
    }

    /// Returns whether the destination is the repository or the layout of `reference`.
    fn is_beside(&self, reference: &Reference) -> bool {
        match (self.destination, reference) {
            (Reference::Registry(to), Reference::Registry(from)) => {
                let (to, from) = (to.under_one_name(), from.under_one_name());
                (to.registry(), to.repository()) == (from.registry(), from.repository())
            }
            (Reference::Layout(to), Reference::Layout(from)) => {
                to.whole() == from.whole() && !replaces_file(to)
            }
            _ => false,
        }
    }

    /// Checks an archive that has no reference against the trust policy.
    fn check_trust(&self, contents: &Contents, name: &str, by_rules: bool) -> Result<(), Error> {
        let (trust, claims) = (&self.client.trust, &contents.claims);
        // Only the command can name a policy for a file, so only the feature `cli` has this check.
        #[cfg(feature = "cli")]
        if by_rules {
            trust.check_anywhere(claims, name)?;
        }
        #[cfg(not(feature = "cli"))]
        let _ = by_rules;
        match self.destination {
            Reference::Layout(place) if place.form() == LayoutForm::File => {
                trust.check_file(claims, name)?;
            }
            reference => {
                let checked = trust.check(claims, reference);
                checked.or_else(|refusal| trust.warn_or_refuse(Some(reference), refusal))?;
            }
        }
        Ok(())
    }

    /// Makes the image of executables that are verified, and writes it.
    async fn run(&self, mut extracted: Extracted, archive: Archive) -> Result<Exported, Error> {
        let targets = self.check_targets(&extracted.contents, &archive.name)?;
        extracted.files.retain(|target, _| targets.contains(target));
        let built = Built::new(
            &self.client,
            self.reader,
            self.options,
            &extracted,
            &archive,
        )
        .await?;
        let index = built.index();
        note_digest(&index.digest);
        let reference = self.destination;
        require_digest(reference, reference.digest(), &index.digest)?;
        let (tags, stored) = self.send(reference, &built).await?;
        let images = built.exported();
        let contents = extracted.contents;
        let is_left_out = |target: &&Target| !images.iter().any(|image| image.target == **target);
        let left_out = contents.executables.keys().filter(is_left_out);
        Ok(Exported {
            digest: index.digest.clone(),
            left_out: left_out.cloned().collect(),
            images,
            archive: archive.digest,
            is_subject: archive.subject.is_some(),
            contents,
            tags,
            sent: stored.sent,
            mounted: stored.mounted,
            existing: stored.existing,
        })
    }

    /// Returns the targets to export. Refuses targets that the archive does not have or that are not for Linux. Warns of
    /// targets that are left out.
    fn check_targets(&self, contents: &Contents, name: &str) -> Result<BTreeSet<Target>, Error> {
        let claimed = contents.claims.executables();
        let asked = self.requested().into_iter();
        let asked: BTreeSet<_> = asked.map(|target| target.among(claimed).clone()).collect();
        for target in &asked {
            let required = contents.require(target);
            required.map_err(|error| error.in_archive(Path::new(name)))?;
        }
        let all = contents.executables.keys();
        let wanted = all.filter(|target| asked.is_empty() || asked.contains(target));
        let (fitting, others): (Vec<_>, Vec<_>) = wanted.partition(|target| is_for_images(target));
        if fitting.is_empty() || !(asked.is_empty() || others.is_empty()) {
            let others: Vec<_> = others.iter().map(|target| target.as_str()).collect();
            return Err(Error::NoImageTarget {
                archive: name.to_owned(),
                targets: others.join(", "),
            });
        }
        for target in others {
            tracing::warn!("left out {target}: container images are for Linux");
        }
        Ok(fitting.into_iter().cloned().collect())
    }

    /// Sends the image to a registry or a layout. Returns what its tag named before.
    async fn send(
        &self,
        reference: &Reference,
        built: &Built,
    ) -> Result<(Vec<TagChange>, Stored), Error> {
        let index = built.index();
        let tagging = Tagging::new(reference, [], self.options.if_absent)?.with_own_tag();
        let to = self.storage(reference, &index.digest).await?;
        let to = to.as_ref();
        let mut changes = tagging.changes(to, &index.digest).await?;
        if !self.options.change_identity {
            let identity = TagIdentity::new(&self.client, &tagging, to);
            identity.keep_archives(&changes, &index.digest).await?;
        }
        let stored = built.send(&self.client, to, reference).await?;
        if self.options.if_absent {
            // Sending may have taken long, so the tags may name other manifests by now.
            changes = tagging.changes(to, &index.digest).await?;
        }
        built.send_index(to, reference.tag()).await?;
        Ok((changes, stored))
    }

    /// Returns the storage that the image with this `index` is sent to.
    async fn storage(
        &self,
        reference: &Reference,
        index: &Digest,
    ) -> Result<Box<dyn Storage>, Error> {
        let place = match reference {
            Reference::Layout(place) if replaces_file(place) => place,
            _ => return push_storage(&self.client, reference).await,
        };
        let existing = open_replaced(place.path()).await?;
        if !self.options.if_absent {
            return Ok(Box::new(LayoutFileWriter::replace(place.path())));
        }
        let held = existing.index().await?.digests();
        match held.into_iter().find(|held| held != index) {
            Some(other) => Err(Error::TagExists {
                reference: reference.to_string(),
                existing: other,
                wanted: index.clone(),
            }),
            // Nothing in the file is replaced, also if another process writes it meanwhile.
            None => Ok(Box::new(existing)),
        }
    }
}

/// Opens the file that an image replaces. Only the tar of a layout is replaced, or an empty file.
async fn open_replaced(path: &Path) -> Result<LayoutFileWriter, Error> {
    let opened = LayoutFileWriter::open_or_create(path).await;
    opened.map_err(|error| match error {
        source @ oci::Error::NotALayout { .. } => Error::NotReplaced {
            path: path.to_owned(),
            source,
        },
        error => error.into(),
    })
}

/// Returns whether an image for `place` replaces an existing file. An image without a name must be the only one in its
/// file, because a reference without a name means the only image.
fn replaces_file(place: &LayoutReference) -> bool {
    place.form() == LayoutForm::File && place.tag().is_none()
}
