//! Adding executables to an archive that exists.

use std::collections::BTreeMap;
use std::path::Path;

use crate::content::{Meter, MeteredReader, Progress, open_regular};

use super::claims::VerifiedClaims;
use super::error::Error;
use super::extract::{Spool, write_error};
use super::input::Input;
use super::limits::Limits;
use super::reader::scan;
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

/// Verifies the archive at `path`, adds `executables` or puts them in the place of those it has, signs
/// it again with everything else kept, and replaces the file in one step.
///
/// `signer` is asked once the claims are known, so that it can look for the issuer's key. Compression
/// stays what it was. The unpacked executables need room in the archive's folder for a while.
///
/// # Errors
///
/// As [`verify`](super::verify), [`Error::IdentityWouldChange`], or those of
/// [`ArchiveWriter::write`]. The archive is untouched then.
pub fn insert(
    path: &Path,
    executables: BTreeMap<Target, Input>,
    signer: impl FnOnce(&VerifiedClaims) -> Result<Signer, Error>,
    identity: Identity,
    limits: &Limits,
    progress: &dyn Progress,
) -> Result<VerifiedClaims, Error> {
    let folder = match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    let spool_folder = tempfile::Builder::new()
        .prefix(".par-")
        .tempdir_in(folder)
        .map_err(|source| write_error(folder, source))?;
    let mut spool = Spool::new(spool_folder.path());
    let (file, size) = open_regular(path).map_err(|source| Error::Read {
        path: path.to_owned(),
        source,
    })?;
    let meter: Box<dyn Meter> = progress.begin("verifying", size);
    let contents = scan(MeteredReader::new(file, meter), limits, &mut spool)
        .map_err(|error| error.in_archive(path))?;

    let signer = signer(&contents.claims)?;
    if identity == Identity::Keep {
        keep("issuer", contents.claims.issuer(), &signer.issuer())?;
        keep("subject", contents.claims.subject(), signer.subject())?;
    }

    let mut writer = ArchiveWriter::new(contents.claims.metadata());
    for (target, file) in spool.files {
        writer.executable(target, Input::File(file));
    }
    for (target, input) in executables {
        writer.executable(target, input);
    }
    if let Some(world) = contents.world {
        writer.world(world);
    }
    let compression = match contents.compressed {
        true => Compression::Gzip,
        false => Compression::None,
    };
    let meter = progress.begin("packing", writer.total()?);
    writer.write(path, &signer, compression, meter.as_ref())
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
