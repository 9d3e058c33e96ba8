//! The providers that can be started from the cache.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::SystemTime;

use crate::content::{Digest, unix_seconds};

use super::error::Error;
use super::inventory::Inventory;
use super::open::Cache;
use super::paths::Kind;
use super::programs::program_name;
use super::providers::{ClaimsIn, Provider};
use super::references::Record;

/// A provider in the cache, with one reference that leads to it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Startable {
    /// The reference. It has a tag, or the digest of the manifest when no tag leads to the provider. When no repository
    /// is known, it is only the digest.
    pub reference: String,
    /// The digest of the manifest.
    pub digest: Digest,
    /// The subject (`V…`), which identifies the provider.
    pub subject: String,
    /// The issuer (`A…`).
    pub issuer: String,
    /// The name in the claims.
    pub name: Option<String>,
    /// The version in the claims.
    pub version: Option<String>,
    /// The targets that can be started, each with the path of its executable. `None` when the executable is only in the
    /// cached archive.
    pub targets: BTreeMap<String, Option<PathBuf>>,
    /// Whether a fetch of [`reference`](Self::reference) gets these executables without the registry: manifest, claims
    /// and executables are cached, and the claims are valid now. The trust policy is not applied.
    pub offline: bool,
    /// How many bytes the manifest, the archive and the executables take on this disk. Content of several references is
    /// counted only for the first of them.
    pub size: u64,
    /// When the registry last confirmed the tag. `None` for a digest.
    pub confirmed: Option<SystemTime>,
    /// When the manifest was last used. `None` when it is not cached.
    pub used: Option<SystemTime>,
}

/// Returns all providers in the cache with a target that can be started, ordered by reference.
pub(super) fn startable(cache: &Cache, inventory: &Inventory) -> Result<Vec<Startable>, Error> {
    let mut rows = Vec::new();
    for (manifest, provider) in &inventory.providers {
        if inventory.has_blob(manifest) {
            rows.extend(rows_of(cache, inventory, manifest, provider)?);
        }
    }
    rows.retain(|row| !row.targets.is_empty());
    rows.sort_by(|one, other| {
        (&one.reference, &one.digest).cmp(&(&other.reference, &other.digest))
    });
    let mut counted = BTreeSet::new();
    for row in &mut rows {
        if let Some(provider) = inventory.providers.get(&row.digest) {
            row.size = uncounted(inventory, &row.digest, provider, &mut counted);
        }
    }
    Ok(rows)
}

/// Returns the provider in `manifest` once for each reference that leads to it. Its content may not be cached.
pub(super) fn rows_of(
    cache: &Cache,
    inventory: &Inventory,
    manifest: &Digest,
    provider: &Provider,
) -> Result<Vec<Startable>, Error> {
    let row = Startable {
        reference: manifest.to_string(),
        digest: manifest.clone(),
        subject: provider.subject.clone(),
        issuer: provider.issuer.clone(),
        name: provider.name.clone(),
        version: provider.version.clone(),
        targets: targets(cache, inventory, provider)?,
        offline: false,
        size: 0,
        confirmed: None,
        used: inventory.used(manifest),
    };
    let is_ready = !row.targets.is_empty()
        && inventory.has_blob(manifest)
        && provider.is_valid(unix_seconds(SystemTime::now()));
    let has_claims = inventory.has_archive(provider) || provider.claims == ClaimsIn::Manifest;
    let tag = |(name, record): (&String, &Record)| Startable {
        reference: record.reference(name.clone()),
        offline: is_ready
            && (has_claims || provider.claims == ClaimsIn::Head && inventory.heads.contains(name)),
        confirmed: Some(record.confirmed),
        ..row.clone()
    };
    let tags: Vec<_> = inventory.tags_of(manifest, provider).map(tag).collect();
    if !tags.is_empty() {
        return Ok(tags);
    }
    let by_digest = |reference| Startable {
        reference,
        offline: is_ready && has_claims,
        ..row.clone()
    };
    let repositories = provider.repositories.iter();
    let references = repositories.map(|repository| format!("{repository}@{manifest}"));
    let rows: Vec<_> = references.map(by_digest).collect();
    if rows.is_empty() {
        return Ok(vec![by_digest(manifest.to_string())]);
    }
    Ok(rows)
}

fn targets(
    cache: &Cache,
    inventory: &Inventory,
    provider: &Provider,
) -> Result<BTreeMap<String, Option<PathBuf>>, Error> {
    let has_archive = inventory.has_archive(provider);
    let mut targets = BTreeMap::new();
    for (target, executable) in &provider.executables {
        if inventory.has_executable(executable) {
            let name = program_name(provider.name.as_deref(), target);
            let path = path_of(cache, executable, &name)?;
            targets.insert(target.clone(), Some(path));
        } else if has_archive {
            targets.insert(target.clone(), None);
        }
    }
    Ok(targets)
}

/// Returns the path for starting the executable of `digest`. It ends with the readable name `name` if the executable
/// has that name.
pub(super) fn path_of(cache: &Cache, digest: &Digest, name: &str) -> Result<PathBuf, Error> {
    let named = cache.program_paths(digest)?;
    let wanted = named.iter().find(|path| path.ends_with(name));
    let path = wanted.or(named.first()).cloned();
    Ok(path.unwrap_or_else(|| cache.paths.content(Kind::Executable, digest)))
}

/// Returns how many bytes the content of a provider takes on this disk, without content that is in `counted`. Adds the
/// content to `counted`.
fn uncounted(
    inventory: &Inventory,
    manifest: &Digest,
    provider: &Provider,
    counted: &mut BTreeSet<(bool, Digest)>,
) -> u64 {
    let blobs = std::iter::once(manifest)
        .chain(&provider.indexes)
        .chain(&provider.layers)
        .map(|digest| (Kind::Blob, digest));
    let executables = provider.executables.values();
    let content = blobs.chain(executables.map(|digest| (Kind::Executable, digest)));
    let mut size = 0;
    for (kind, digest) in content {
        if let Some(entry) = inventory.find(kind, digest)
            && counted.insert((kind == Kind::Blob, digest.clone()))
        {
            size += entry.disk;
        }
    }
    size
}
