//! The number of attachments of each type.

use std::collections::BTreeMap;

use crate::content::{Referrer, Referrers, StoreError, with_causes};
use crate::oci::Reference;

use super::super::lookup::{Lookup, OFFLINE_WAIT};
use super::super::options::PullPolicy;

/// The number of attachments of each artifact type. An attachment without an artifact type is counted by the media type of
/// its manifest.
pub(crate) type AttachedTypes = BTreeMap<String, usize>;

/// Lists the attachments of the manifest of `lookup`. Returns `None` if they are unknown. If the lookup was answered by the
/// cache, no request is sent, so that an archive can be shown without its registry.
pub(in crate::client) async fn attached_types(lookup: &Lookup) -> Option<AttachedTypes> {
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
