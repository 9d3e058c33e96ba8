//! The registries that each side of a command reaches, for errors about missing credentials.

use std::collections::BTreeSet;

use anyhow::Error;

use crate::cli::output::{Failure, missing_credentials, missing_credentials_hint};
use crate::client;
use crate::content::ErrorKind;
use crate::oci::Reference;

use super::side::{FROM, SideName, TO};

/// The registries that each side of a command reaches. A side may be in none.
pub(crate) struct Reached {
    from: BTreeSet<String>,
    to: Option<String>,
}

impl Reached {
    /// Returns the registries of the references on each side.
    pub(crate) fn new<'a>(
        from: impl IntoIterator<Item = &'a Reference>,
        to: Option<&'a Reference>,
    ) -> Self {
        Self {
            from: from.into_iter().filter_map(registry).collect(),
            to: to.and_then(registry),
        }
    }

    /// Returns whether these are several registries.
    pub(super) fn are_several(&self) -> bool {
        let all: BTreeSet<_> = self.from.iter().chain(&self.to).collect();
        all.len() > 1
    }

    /// Adds to an error about missing credentials which side needs them. The hint has the options of that side, because
    /// --user and --password are refused for several registries.
    pub(crate) fn explain(&self, error: Error) -> Error {
        let failed = error.downcast_ref::<client::Error>();
        let Some(registry) = failed.and_then(missing_credentials) else {
            return error;
        };
        let Some((side, has_options)) = self.side_of(registry) else {
            return error;
        };
        let SideName { title, prefix } = side;
        let options = format!("--{prefix}-user and --{prefix}-password");
        let hint = missing_credentials_hint(registry, has_options.then_some(&*options));
        let message = format!("{title} needs a user and a password");
        error.context(Failure::new(ErrorKind::Denied, message).hint(hint))
    }

    /// Returns the side that reaches `registry`, and whether options can give its user and its password: they are for one
    /// registry only. Returns `None` if no side reaches it, or if there is only one registry.
    fn side_of(&self, registry: &str) -> Option<(SideName, bool)> {
        if !self.are_several() {
            return None;
        }
        if self.from.contains(registry) {
            return Some((FROM, self.from.len() == 1));
        }
        let is_to = self.to.as_deref() == Some(registry);
        is_to.then_some((TO, true))
    }
}

/// Returns the registry of a reference. `None`: it is in a layout.
fn registry(reference: &Reference) -> Option<String> {
    match reference {
        Reference::Registry(place) => Some(place.registry().to_owned()),
        Reference::Layout(_) => None,
    }
}
