//! How much of which type is attached to the manifest of an archive.

use std::collections::BTreeMap;

use crate::content::{Referrer, Referrers, StoreError, with_causes};
use crate::oci::Reference;

use super::lookup::{Lookup, OFFLINE_WAIT};
use super::options::PullPolicy;

/// The number of attached artifacts of each type. One without a type counts under that of its manifest.
pub(crate) type AttachedTypes = BTreeMap<String, usize>;

/// Returns what is attached to the manifest of `lookup`, by one list. `None`: that is not known. Nothing is asked if the
/// lookup was answered by the cache: the archive can be shown without its registry.
pub(super) async fn attached_types(lookup: &Lookup) -> Option<AttachedTypes> {
    let listed = match list(lookup).await? {
        Ok(listed) => listed,
        Err(error) => {
            let (reference, causes) = (lookup.reference(), with_causes(&error));
            tracing::warn!("what is attached to {reference} is not known: {causes}");
            return None;
        }
    };
    let mut types = AttachedTypes::new();
    for referrer in listed {
        let own = referrer.artifact_type.filter(|name| !name.is_empty());
        let name = own.unwrap_or(referrer.descriptor.media_type);
        *types.entry(name).or_default() += 1;
    }
    Some(types)
}

async fn list(lookup: &Lookup) -> Option<Result<Vec<Referrer>, StoreError>> {
    let (client, digest) = (lookup.client(), lookup.digest());
    match lookup.reference() {
        Reference::Registry(place) if lookup.answered => {
            let repository = client.registries.repository(place);
            let repository = repository.with_patience(OFFLINE_WAIT);
            Some(Referrers::referrers(&repository, &digest, None).await)
        }
        Reference::Layout(_) if client.pull != PullPolicy::Never => {
            let referrers = lookup.store().as_referrers()?;
            Some(referrers.referrers(&digest, None).await)
        }
        _ => None,
    }
}
