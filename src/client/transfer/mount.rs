//! Mounting: a registry copies a blob from one of its repositories into another, so that it is not uploaded again.

use crate::content::{Descriptor, Digest, Push, Source, Stored};
use crate::oci::Reference;

use super::super::error::Error;
use super::super::{Client, blocking};

/// Remembers that the repository of `reference` has these layers.
pub(in crate::client) async fn remember(
    client: &Client,
    reference: &Reference,
    layers: &[Descriptor],
) {
    let Some((registry, repository)) = repository(reference) else {
        return;
    };
    let place = format!("{registry}/{repository}");
    let (client, layers) = (client.clone(), layers.to_vec());
    let noted = blocking(move || {
        let cache = client.cache()?;
        for layer in layers {
            cache.note_place(&layer.digest, &place)?;
        }
        Ok(())
    });
    // A failure is only logged: the memory saves time, and nothing needs it.
    if let Err(error) = noted.await {
        tracing::debug!(%error, "{reference} is not remembered");
    }
}

/// Returns another repository in the registry of `reference` that had this content when this
/// client last saw it.
pub(in crate::client) async fn neighbour(
    client: &Client,
    reference: &Reference,
    digest: &Digest,
) -> Option<String> {
    let (registry, repository) = repository(reference)?;
    let digest = digest.clone();
    let client = client.clone();
    let known = blocking(move || Ok(client.cache()?.places(&digest)));
    let unknown = |error: &Error| tracing::debug!(%error, "neighbours are not known");
    let places = known.await.inspect_err(unknown).unwrap_or_default();
    let name =
        |place: &'_ String| Some(place.strip_prefix(registry)?.strip_prefix('/')?.to_owned());
    places
        .iter()
        .filter_map(name)
        .find(|name| name != repository)
}

/// Returns the repository of `source` when `destination` is in the same registry.
pub(in crate::client) fn mountable<'a>(
    source: &'a Reference,
    destination: &Reference,
) -> Option<&'a str> {
    match (source, destination) {
        (Reference::Registry(from), Reference::Registry(to))
            if from.registry() == to.registry() =>
        {
            Some(from.repository())
        }
        _ => None,
    }
}

fn repository(reference: &Reference) -> Option<(&str, &str)> {
    match reference {
        Reference::Registry(place) => Some((place.registry(), place.repository())),
        Reference::Layout(_) => None,
    }
}

/// Stores a blob unless the destination has it. Mounts it from the repository `from` if possible, and else uploads it
/// from `source`. Returns which of these was done.
pub(in crate::client) async fn put_blob(
    to: &dyn Push,
    blob: &Descriptor,
    from: Option<&str>,
    source: &dyn Source,
) -> Result<Stored, Error> {
    Ok(match (from, to.as_mount()) {
        (Some(from), Some(to)) => to.mount_blob(blob, from, source).await?,
        _ => to.put_blob(blob, source).await?,
    })
}
