//! What a verified archive holds.

use std::collections::BTreeMap;

use crate::archive::claims::VerifiedClaims;
use crate::archive::compression::Compression;
use crate::archive::error::Error;
use crate::archive::target::Target;

/// What a verified archive holds.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Contents {
    /// The claims.
    pub claims: VerifiedClaims,
    /// The size of every executable in the archive, in bytes.
    pub executables: BTreeMap<Target, u64>,
    /// The targets that the claims cover and the archive does not hold.
    pub absent: Vec<Target>,
    /// The WIT world, in its encoded form.
    pub world: Option<Vec<u8>>,
    /// How the archive is compressed.
    pub compression: Compression,
}

impl Contents {
    /// Checks that there is an executable for `target`.
    pub(crate) fn require(&self, target: &Target) -> Result<(), Error> {
        if self.executables.contains_key(target) {
            return Ok(());
        }
        Err(Error::no_such_target(target, &self.executables))
    }
}
