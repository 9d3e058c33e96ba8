//! Arguments that must name a repository and not just a registry.

use anyhow::{Result, bail};

use crate::cli::output::Failure;
use crate::oci::{Place, RegistryReference};

/// Returns the repository of a place, or an error with this reason if the place is a registry.
pub(crate) fn require_repository<'a>(
    place: &'a Place,
    reason: &str,
) -> Result<&'a RegistryReference> {
    match place.reference() {
        Some(repository) => Ok(repository),
        None => bail!(
            Failure::usage(format!("{place} is a registry, {reason}"))
                .hint(format!("name a repository: {place}/REPOSITORY"))
        ),
    }
}
