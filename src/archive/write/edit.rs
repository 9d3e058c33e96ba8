//! Changing an existing archive. It is verified, changed, signed again and replaced.

use std::collections::BTreeMap;
use std::path::Path;

use crate::archive::claims::{Dates, UnverifiedClaims, VerifiedClaims};
use crate::archive::error::Error;
use crate::archive::limits::Limits;
use crate::archive::read::{Contents, Spool, scan};
use crate::archive::target::Target;
use crate::content::{
    AtomicFile, MeteredReader, Progress, Step, TemporaryDirectory, UnchangedFile, directory_of,
    followed, open_exclusive,
};

use super::input::Input;
use super::signer::Signer;
use super::writer::ArchiveWriter;

/// Whether the issuer or the subject of an archive may change when it is signed again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Identity {
    /// Signing fails when the issuer or the subject would change.
    #[default]
    Keep,
    /// The issuer and the subject become those of the signer. Hosts then treat the archive as another
    /// provider.
    Change,
}

/// Verifies the archive at `path`, applies `change`, signs the archive again, and replaces the file in one step. The
/// permission bits and the compression stay the same, and so does the owner when root edits the file. Other edits of
/// the same file wait until this one ends.
///
/// `change` gets a writer with the contents of the archive: it adds and removes executables and changes the metadata.
/// After `change` has succeeded, `signer` is called with the claims, so that it can look for the key of the issuer. The
/// new claims cover only the targets whose executables are in the archive. During the edit, the unpacked executables
/// take space in the directory of the archive. When `path` is a symbolic link, the archive is the file to which it leads.
///
/// An archive that is not yet valid can be edited. An archive that has expired can be edited if `change` sets another
/// date of expiry.
///
/// # Errors
///
/// The errors of [`verify`](crate::archive::verify), [`Error::IdentityWouldChange`], those of `change`,
/// [`Error::NothingLeft`], [`Error::ArchiveChanged`], or those of [`ArchiveWriter::write`] with `limits`. An error leaves
/// the archive untouched.
pub fn edit(
    path: &Path,
    change: impl FnOnce(&mut ArchiveWriter) -> Result<(), Error>,
    signer: impl FnOnce(&VerifiedClaims) -> Result<Signer, Error>,
    identity: Identity,
    limits: &Limits,
    progress: &dyn Progress,
) -> Result<VerifiedClaims, Error> {
    // Without the lock, the later of two edits at the same time would undo the earlier one.
    let waiting = progress.begin(Step::Waiting, 0);
    let reading = |source| Error::read(path, source);
    let (archive, size) = open_exclusive(path, waiting.as_ref()).map_err(reading)?;
    drop(waiting);
    let archive = UnchangedFile::opened(archive, path).map_err(reading)?;
    let writing = |source| Error::write(path, source);
    // The directory of the archive has room for the new one. That of a symbolic link may have none.
    let place = followed(path).map_err(writing)?;
    let directory = TemporaryDirectory::create_in(directory_of(&place)).map_err(writing)?;
    let mut spool = Spool::new(directory.path());
    let mut input = MeteredReader::new(archive.as_file(), progress.begin(Step::Verifying, size));
    let Contents {
        claims,
        world,
        compression,
        ..
    } = scan(&mut input, limits, Dates::Any, &mut spool).map_err(|error| error.in_archive(path))?;

    let mut writer = ArchiveWriter::new(claims.metadata());
    for (target, file) in spool.files {
        writer.executable(target, Input::File(file));
    }
    if let Some(world) = world {
        writer.world(world);
    }
    change(&mut writer).map_err(|error| error.in_archive(path))?;
    if writer.is_empty() {
        return Err(Error::NothingLeft);
    }
    if writer.metadata().expires == claims.metadata().expires {
        refuse_expired(&claims).map_err(|error| error.in_archive(path))?;
    }
    writer.metadata().check_dates()?;

    let signer = signer(&claims)?;
    if identity == Identity::Keep {
        keep("issuer", claims.issuer(), signer.issuer())?;
        keep("subject", claims.subject(), signer.subject())?;
    }

    let meter = &*progress.begin(Step::Packing, writer.total()?);
    // The file stays private until it has the permission bits of the archive, which may be private too.
    let mut file = AtomicFile::create_private(path).map_err(writing)?;
    let claims = writer.write_to(&mut file, path, &signer, compression, limits, meter)?;
    // The lock keeps out other edits, and nothing else: a build can replace the archive meanwhile. Systems have no rename
    // that depends on the file that it replaces, so an archive that comes between this check and the rename is lost.
    let committed = file
        .resemble(archive.as_file())
        .and_then(|()| file.commit_if(|| archive.is_unchanged()));
    if committed.map_err(writing)? {
        Ok(claims)
    } else {
        Err(Error::ArchiveChanged(path.to_owned()))
    }
}

/// [Edits](edit) the archive at `path`: adds `executables`, and replaces executables for the same targets.
///
/// # Errors
///
/// The errors of [`edit`]. An error leaves the archive untouched.
pub fn insert(
    path: &Path,
    executables: BTreeMap<Target, Input>,
    signer: impl FnOnce(&VerifiedClaims) -> Result<Signer, Error>,
    identity: Identity,
    limits: &Limits,
    progress: &dyn Progress,
) -> Result<VerifiedClaims, Error> {
    let change = |writer: &mut ArchiveWriter| {
        for (target, input) in executables {
            writer.executable(target, input);
        }
        Ok(())
    };
    edit(path, change, signer, identity, limits, progress)
}

/// Refuses an archive that has expired, as readers do, unless the edit sets another date.
fn refuse_expired(claims: &VerifiedClaims) -> Result<(), Error> {
    match UnverifiedClaims::decode(claims.token())?.verify() {
        Err(Error::NotYetValid(_)) => Ok(()),
        outcome => outcome.map(|_| ()),
    }
}

fn keep<K: PartialEq + ToString>(role: &'static str, before: &K, after: &K) -> Result<(), Error> {
    if before == after {
        return Ok(());
    }
    Err(Error::IdentityWouldChange {
        role,
        before: before.to_string(),
        after: after.to_string(),
    })
}
