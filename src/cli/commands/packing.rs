//! Packing a new archive, which `par create` and `par build` do.

use std::path::PathBuf;

use anyhow::Result;

use crate::archive::{self, ArchiveWriter, Compression};
use crate::cli::arguments::{Binaries, SigningArgs, signed_archive};
use crate::cli::output::Answer;
use crate::cli::session::Session;
use crate::content::{AtomicFile, Step};

use super::identity::NewIdentity;

/// An archive to be written.
pub(super) struct Packing {
    /// The writer, which has everything except the executables.
    pub(super) writer: ArchiveWriter,
    pub(super) binaries: Binaries,
    /// The provider's name.
    pub(super) name: String,
    pub(super) destination: PathBuf,
    pub(super) compression: Compression,
}

impl Packing {
    /// Writes the archive. Blocks.
    ///
    /// Keys are generated last, so that a failed command leaves no useless key behind. After that, only reading the
    /// executables and writing the archive can fail, so creating a file in its directory is tried before.
    pub(super) fn write(
        mut self,
        signing: &SigningArgs,
        keygen: bool,
        session: &Session,
    ) -> Result<Answer> {
        for (target, input) in self.binaries.inputs() {
            self.writer.executable(target, input);
        }
        let destination = &self.destination;
        let write_error = |source| archive::Error::Write {
            path: destination.clone(),
            source,
        };
        drop(AtomicFile::create(destination).map_err(write_error)?);
        self.writer.check(destination)?;
        let identity = NewIdentity::find(signing, &self.binaries, destination, keygen, session)?;
        self.binaries
            .warnings
            .extend(identity.shared_with(&self.name));
        let meter = session
            .progress()
            .begin(Step::Packing, self.writer.total()?);
        let claims = self.writer.write(
            destination,
            &identity.signer,
            self.compression,
            meter.as_ref(),
        )?;
        identity.note(&self.name);
        self.binaries.warn(session);
        Ok(signed_archive(destination, &claims).field("generated_keys", identity.generated))
    }
}
