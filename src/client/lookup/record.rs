//! Recording in the cache which manifest a tag stands for, and what the provider is.
//!
//! When the registry is unavailable, a client uses the recorded manifest. So an answer of the registry is recorded only
//! by an operation that uses the archive, and only once the cache can serve the archive. An interrupted or refused
//! update and an inspection do not replace the record.

use std::path::PathBuf;
use std::time::SystemTime;

use crate::cache::{self, Cache, Provider, Record};
use crate::content::{Descriptor, Digest, with_causes};
use crate::oci::{Artifact, LayoutForm, Reference};

use super::super::blocking::blocking;
use super::super::client::Client;
use super::super::error::Error;
use super::manifest::cached_manifest;

/// The answer of a registry about a tag, to be recorded.
#[derive(Debug, Clone)]
pub(super) struct Confirmation {
    name: String,
    record: Record,
    /// Whether the present record names another manifest.
    pub(super) moved: bool,
}

/// The first bytes of the archive that a tag stands for.
#[derive(Debug, Clone)]
pub(in crate::client) struct Head {
    pub(super) name: String,
    pub(super) manifest: Digest,
    pub(super) bytes: Vec<u8>,
}

impl Confirmation {
    /// Returns the answer to record for the tag of `reference`, which the registry confirmed at the time `at`. Returns
    /// `None` for a digest, which always stands for the same manifest.
    pub(super) async fn new(
        client: &Client,
        reference: &Reference,
        descriptor: &Descriptor,
        artifact: &Artifact,
        at: SystemTime,
    ) -> Result<Option<Self>, Error> {
        let Some(name) = record_name(reference).filter(|_| reference.digest().is_none()) else {
            return Ok(None);
        };
        let record = Record {
            descriptor: descriptor.clone(),
            content: Some(artifact.size()),
            confirmed: at,
            layout: absolute_layout(reference).and_then(|place| recorded_place(&place)),
        };
        let before = recorded(client, name.clone()).await?;
        let before = before.map(|record| record.descriptor.digest);
        let moved = before.filter(|before| *before != descriptor.digest);
        if let Some(from) = &moved {
            let to = &descriptor.digest;
            tracing::warn!(%name, %from, %to, "the tag of {reference} has moved: from {from} to {to}");
        }
        Ok(Some(Self {
            name,
            record,
            moved: moved.is_some(),
        }))
    }
}

/// Returns the record of the tag `name`.
pub(super) async fn recorded(client: &Client, name: String) -> Result<Option<Record>, Error> {
    let client = client.clone();
    blocking(move || match client.cache()?.recorded(&name) {
        Ok(record) => Ok(Some(record)),
        Err(cache::Error::NoReference(_)) => Ok(None),
        Err(error) => Err(error.into()),
    })
    .await
}

/// Returns the record of the tag of `reference`, if the cache holds the manifest too.
pub(super) async fn usable_record(
    client: &Client,
    reference: &Reference,
) -> Result<Option<Record>, Error> {
    let Some(name) = record_name(reference) else {
        return Ok(None);
    };
    let Some(record) = recorded(client, name).await? else {
        return Ok(None);
    };
    let descriptor = cached_manifest(client, &record.descriptor.digest).await?;
    Ok(descriptor.map(|descriptor| Record {
        descriptor,
        ..record
    }))
}

/// Writes records to the cache: the answer about a tag, the first bytes of the archive, and the description of the
/// provider in a manifest. A failure is only logged, so that a read-only cache can be used.
pub(super) async fn write(
    client: &Client,
    confirmation: Option<Confirmation>,
    head: Option<Head>,
    provider: Option<(Digest, Provider)>,
) {
    if confirmation.is_none() && head.is_none() && provider.is_none() {
        return;
    }
    let client = client.clone();
    let written = blocking(move || {
        let cache = client.cache()?;
        if let Err(error) = write_tag(cache, confirmation, head) {
            tracing::warn!(
                "cannot record which manifest the tag names: {}",
                with_causes(&error)
            );
        }
        if let Some((manifest, provider)) = provider
            && let Err(error) = cache.describe(&manifest, provider)
        {
            tracing::info!(
                "cannot record what the provider is: {}",
                with_causes(&error)
            );
        }
        Ok(())
    });
    if let Err(error) = written.await {
        tracing::warn!("cannot write to the cache: {}", with_causes(&error));
    }
}

/// Records the answer about a tag, and the first bytes of the archive. Blocks.
fn write_tag(
    cache: &Cache,
    confirmation: Option<Confirmation>,
    head: Option<Head>,
) -> Result<(), cache::Error> {
    if let Some(head) = head {
        cache.keep_head(&head.name, &head.manifest, &head.bytes)?;
    }
    if let Some(Confirmation { name, record, .. }) = confirmation {
        cache.record(&name, &record)?;
    }
    Ok(())
}

/// Returns the name under which the cache records the tag of `reference`.
pub(super) fn record_name(reference: &Reference) -> Option<String> {
    let tag = reference.tag()?;
    Some(match reference {
        Reference::Registry(place) => format!("{}/{}:{tag}", place.registry(), place.repository()),
        Reference::Layout(_) => {
            let (_, path) = absolute_layout(reference)?;
            let place = Digest::of(path.as_os_str().as_encoded_bytes());
            format!("oci-layout/{}:{}", place.hex(), Record::tag_of(tag))
        }
    })
}

/// Returns the absolute path of an image layout, and whether the layout is a directory or a file.
pub(super) fn absolute_layout(reference: &Reference) -> Option<(LayoutForm, PathBuf)> {
    match reference {
        Reference::Registry(_) => None,
        Reference::Layout(place) => {
            let path = std::path::absolute(place.path()).ok()?;
            Some((place.form(), path))
        }
    }
}

/// Returns the name of an image layout in a record: the path of a directory, or the reference to a file.
fn recorded_place((form, path): &(LayoutForm, PathBuf)) -> Option<String> {
    let path = path.to_str()?;
    Some(match form {
        LayoutForm::Directory => path.to_owned(),
        LayoutForm::File => format!("{}{path}", form.scheme()),
    })
}
