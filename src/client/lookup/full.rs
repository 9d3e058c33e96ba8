//! Verifying and extracting an archive in the cache.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::PathBuf;

use crate::archive::{
    self, Contents, Dates, Limits, RequestedTarget, Target, VerifiedClaims, extract,
    extract_chosen, verify_file_with, verify_with,
};
use crate::content::{MeteredReader, Step, TemporaryDirectory};
use crate::oci::Reference;

use super::super::admission::Admission;
use super::super::annotations;
use super::super::error::Error;
use super::archive::CachedArchive;
use super::start::Lookup;

impl Lookup {
    /// Verifies everything in a cached archive and asks the lock, the trust policy and the pin.
    pub(in crate::client) async fn verify(
        &self,
        archive: CachedArchive,
    ) -> Result<Contents, Error> {
        let (reference, admission) = (self.reference().clone(), self.admission().clone());
        self.client()
            .blocking(move |client| {
                let (limits, progress) = (&client.limits, client.progress.as_ref());
                let dates = client.dates;
                let contents = match archive.only_file()? {
                    Some(mut file) => verify_file_with(&mut file, limits, dates, progress),
                    None => {
                        let meter = progress.begin(Step::Verifying, archive.size());
                        verify_with(MeteredReader::new(archive.open()?, meter), limits, dates)
                    }
                };
                let contents = contents.map_err(Error::unusable(&reference))?;
                admit(&admission, &archive, &contents.claims, &reference)?;
                Ok(contents)
            })
            .await
    }

    /// Returns the verified claims of a cached archive, once the lock, the trust policy and the pin allow them.
    /// Nothing else in the archive is verified.
    pub(in crate::client) async fn claims(
        &self,
        archive: &CachedArchive,
    ) -> Result<VerifiedClaims, Error> {
        let (archive, reference) = (archive.clone(), self.reference().clone());
        let admission = self.admission().clone();
        self.client()
            .blocking(move |client| {
                let claims = archive.claims(&reference, &client.limits)?;
                admit(&admission, &archive, &claims, &reference)?;
                Ok(claims)
            })
            .await
    }

    /// Asks the lock, the trust policy and the pin about a cached archive, verifies everything in it, and writes
    /// the executable that `target` means to a file with the permission bits `mode`. `destination` returns the path of
    /// the file.
    pub(in crate::client) async fn extract(
        &self,
        archive: CachedArchive,
        target: &RequestedTarget,
        destination: impl Fn(&Target) -> PathBuf + Send + 'static,
        mode: u32,
    ) -> Result<Contents, Error> {
        let (reference, target) = (self.reference().clone(), target.clone());
        let admission = self.admission().clone();
        self.client()
            .blocking(move |client| {
                // Before anything is written. An archive has one token, so these are its claims.
                let claims = archive.claims(&reference, &client.limits)?;
                admit(&admission, &archive, &claims, &reference)?;
                let target = target.among(claims.executables());
                let meter = client.progress.begin(Step::Verifying, archive.size());
                let input = MeteredReader::new(archive.open()?, meter);
                extract(input, target, &destination(target), mode, &client.limits)
                    .map_err(Error::unusable(&reference))
            })
            .await
    }

    /// Asks the lock, the trust policy and the pin about a cached archive, verifies everything in it, and writes each
    /// executable to a file in `directory`.
    #[cfg(feature = "cli")]
    pub(in crate::client) async fn unpack(
        &self,
        archive: CachedArchive,
        directory: PathBuf,
    ) -> Result<(Contents, BTreeMap<Target, PathBuf>), Error> {
        let (reference, admission) = (self.reference().clone(), self.admission().clone());
        self.client()
            .blocking(move |client| {
                let meter = client.progress.begin(Step::Verifying, archive.size());
                let input = MeteredReader::new(archive.open()?, meter);
                let unpacked =
                    extract_chosen(input, &directory, |_| true, &client.limits, client.dates)
                        .map_err(Error::unusable(&reference))?;
                admit(&admission, &archive, &unpacked.0.claims, &reference)?;
                Ok(unpacked)
            })
            .await
    }
}

/// Executables of a verified archive, in files of a temporary directory.
pub(in crate::client) struct Extracted {
    pub(in crate::client) contents: Contents,
    pub(in crate::client) files: BTreeMap<Target, PathBuf>,
    /// Dropping it removes the files.
    pub(in crate::client) directory: TemporaryDirectory,
}

impl Extracted {
    /// Creates the temporary directory for the executables. Blocks.
    pub(in crate::client) fn make_directory() -> Result<TemporaryDirectory, Error> {
        let temporary = std::env::temp_dir();
        TemporaryDirectory::create_in(&temporary).map_err(Error::write(&temporary))
    }

    /// Verifies the archive that `input` yields, and writes the executables for which `chosen` returns `true` to a
    /// temporary directory. Blocks.
    fn read(
        input: impl Read,
        chosen: impl Fn(&Target) -> bool,
        limits: &Limits,
    ) -> Result<Result<Self, archive::Error>, Error> {
        let directory = Self::make_directory()?;
        let extracted = extract_chosen(input, directory.path(), chosen, limits, Dates::Valid);
        Ok(extracted.map(|(contents, files)| Self {
            contents,
            files,
            directory,
        }))
    }
}

impl Lookup {
    /// Asks the lock, the trust policy and the pin about a cached archive, verifies everything in it, and writes the
    /// executables for which `chosen` returns `true` to a temporary directory.
    pub(in crate::client) async fn extract_chosen(
        &self,
        archive: CachedArchive,
        chosen: impl Fn(&Target) -> bool + Send + 'static,
    ) -> Result<Extracted, Error> {
        let (reference, admission) = (self.reference().clone(), self.admission().clone());
        self.client()
            .blocking(move |client| {
                // Before anything is written. An archive has one token, so these are its claims.
                let claims = archive.claims(&reference, &client.limits)?;
                admit(&admission, &archive, &claims, &reference)?;
                let meter = client.progress.begin(Step::Verifying, archive.size());
                let input = MeteredReader::new(archive.open()?, meter);
                Extracted::read(input, chosen, &client.limits)?.map_err(Error::unusable(&reference))
            })
            .await
    }
}

/// Compares the claims of an archive with those that its manifest carries, if it carries some, and asks the lock,
/// the trust policy and the pin. Blocks.
fn admit(
    admission: &Admission,
    archive: &CachedArchive,
    claims: &VerifiedClaims,
    reference: &Reference,
) -> Result<(), Error> {
    annotations::compare(&archive.artifact, claims, reference)?;
    admission.check_blocking(claims)
}
