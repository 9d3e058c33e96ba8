//! Changing an archive that exists: verify, change, sign again, replace.

use std::collections::BTreeMap;
use std::path::Path;

use crate::content::{
    AtomicFile, MeteredReader, Progress, Step, open_exclusive, temporary_folder_beside,
};

use super::claims::{UnverifiedClaims, VerifiedClaims};
use super::error::Error;
use super::extract::{Spool, write_error};
use super::input::Input;
use super::limits::Limits;
use super::reader::{Contents, Dates, scan};
use super::signer::Signer;
use super::target::Target;
use super::writer::{ArchiveWriter, Compression};

/// Whether the issuer or the subject of an archive may change when it is signed again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Identity {
    /// Both stay what they are.
    #[default]
    Keep,
    /// They become those of the signer: for hosts, it is another provider.
    Change,
}

/// Verifies the archive at `path`, lets `change` change it, signs it again with everything else kept,
/// and replaces the file in one step. Its permission bits stay what they are, and so does its owner when
/// root edits it. Whoever else edits the same file waits.
///
/// `change` gets a writer that holds what the archive does: it adds and removes executables and changes
/// the metadata. `signer` is asked once the claims are known and changing them has succeeded, so that it
/// can look for the issuer's key. Compression stays what it was. Targets that the claims covered and the
/// archive did not hold are no longer covered. The unpacked executables need room in the archive's folder
/// for a while.
///
/// Dates are those of the publisher, who is the one that edits: an archive that is not yet valid can be
/// edited, and one that has expired when `change` gives it another date.
///
/// # Errors
///
/// As [`verify`](super::verify), [`Error::IdentityWouldChange`], those of `change`,
/// [`Error::NothingLeft`], or those of [`ArchiveWriter::write`], which keeps to `limits`. The archive is
/// untouched then.
pub fn edit(
    path: &Path,
    change: impl FnOnce(&mut ArchiveWriter) -> Result<(), Error>,
    signer: impl FnOnce(&VerifiedClaims) -> Result<Signer, Error>,
    identity: Identity,
    limits: &Limits,
    progress: &dyn Progress,
) -> Result<VerifiedClaims, Error> {
    // Two edits at once would both begin with what is there now, and the first one would be lost.
    let waiting = progress.begin(Step::Waiting, 0);
    let (archive, size) = open_exclusive(path, waiting.as_ref()).map_err(|source| Error::Read {
        path: path.to_owned(),
        source,
    })?;
    drop(waiting);
    let spool_folder = temporary_folder_beside(path).map_err(|source| write_error(path, source))?;
    let mut spool = Spool::new(spool_folder.path());
    let input = MeteredReader::new(&archive, progress.begin(Step::Verifying, size));
    let Contents {
        claims,
        world,
        compressed,
        ..
    } = scan(input, limits, Dates::Ignored, &mut spool).map_err(|error| error.in_archive(path))?;

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
        keep("issuer", claims.issuer(), &signer.issuer())?;
        keep("subject", claims.subject(), signer.subject())?;
    }

    let compression = match compressed {
        true => Compression::Gzip,
        false => Compression::None,
    };
    let meter = progress.begin(Step::Packing, writer.total()?);
    let writing = |source| write_error(path, source);
    // Nobody reads it who could not read the archive before.
    let mut file = AtomicFile::create_private(path).map_err(writing)?;
    let claims = writer.write_to(
        &mut file,
        path,
        &signer,
        compression,
        limits,
        meter.as_ref(),
    )?;
    file.resemble(&archive)
        .and_then(|()| file.commit())
        .map_err(writing)?;
    Ok(claims)
}

/// [Edits](edit) the archive at `path`: adds `executables`, or puts them in the place of those it has.
///
/// # Errors
///
/// As [`edit`]. The archive is untouched then.
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

/// For readers, an archive that has expired is no better than one with a bad signature: who edits it
/// hears the same, unless it gets another date.
fn refuse_expired(claims: &VerifiedClaims) -> Result<(), Error> {
    match UnverifiedClaims::decode(claims.token())?.verify() {
        Err(Error::NotYetValid(_)) => Ok(()),
        outcome => outcome.map(|_| ()),
    }
}

fn keep(role: &'static str, before: &str, after: &str) -> Result<(), Error> {
    if before == after {
        return Ok(());
    }
    Err(Error::IdentityWouldChange {
        role,
        before: before.to_owned(),
        after: after.to_owned(),
    })
}
