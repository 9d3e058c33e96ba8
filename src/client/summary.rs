//! The claims, the targets and the sizes of an archive, read without downloading the archive.

use std::collections::BTreeMap;
use std::io::Read;
use std::ops::Range;

use crate::archive::{Contents, ExecutableFacts, Rotation, Target, VerifiedClaims};
use crate::content::{Digest, ErrorKind};

use super::error::Error;
use super::lookup::{Lookup, Preview, read_range};
use super::sigstore::SigstoreIdentity;

/// The claims, the targets and the sizes of an archive. The signature, the key types and the dates of its claims are
/// verified.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Summary {
    /// The claims.
    pub claims: VerifiedClaims,
    /// The targets of the executables in the archive, according to its index. Without an index, the targets that the
    /// claims cover.
    pub targets: Vec<Target>,
    /// The sizes of the executables in bytes, as far as they are known: from the index, which is not signed, or counted
    /// in a downloaded archive.
    pub sizes: BTreeMap<Target, u64>,
    /// What a host must have to start the executables, according to their headers. Empty unless
    /// [everything](Self::everything) was downloaded.
    pub facts: BTreeMap<Target, ExecutableFacts>,
    /// The targets that the claims cover and the archive does not hold.
    pub absent: Vec<Target>,
    /// The WIT world, when it was asked for and the archive carries one. It has the hash that the claims
    /// sign.
    pub world: Option<Vec<u8>>,
    /// Whether the whole archive was downloaded and verified. If not, only the claims and the WIT world are verified.
    pub everything: bool,
}

impl From<Contents> for Summary {
    fn from(contents: Contents) -> Self {
        Self {
            claims: contents.claims,
            targets: contents.executables.keys().cloned().collect(),
            sizes: contents.executables,
            facts: contents.facts,
            absent: contents.absent,
            world: contents.world,
            everything: true,
        }
    }
}

/// A manifest and the summary of its archive.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Summarized {
    /// The digest of the manifest.
    pub digest: Digest,
    /// The annotations of the manifest.
    pub annotations: BTreeMap<String, String>,
    /// The size of the archive in bytes: the sum of its layers.
    pub size: u64,
    /// The claims, the targets and the sizes of the archive.
    pub summary: Summary,
    /// The verified rotation statement on the manifest.
    pub rotation: Option<Rotation>,
    /// The Sigstore identity that vouches for the manifest. `None`: neither the trust policy nor a lock demands one.
    pub identity: Option<SigstoreIdentity>,
}

/// Returns the summary of an archive that is not downloaded. `None` when the whole archive has to be read.
pub(super) async fn preview_summary(
    lookup: &Lookup,
    world: bool,
) -> Result<Option<Summary>, Error> {
    if lookup.missing().await? == 0 {
        return Ok(None);
    }
    let Some(preview) = lookup.preview().await? else {
        return Ok(None);
    };
    lookup.admission().check(&preview.claims).await?;
    lookup.check_identity().await?;
    let world = match preview.claims.world().filter(|_| world) {
        Some(hash) => match download_world(lookup, &preview, hash).await? {
            Some(world) => Some(world),
            None => return Ok(None),
        },
        None => None,
    };
    let holds = |target: &Target| {
        let index = preview.index.as_ref();
        index.is_none_or(|index| index.executable(target).is_some())
    };
    let targets = preview.claims.executables().keys().cloned();
    let (targets, absent): (Vec<Target>, _) = targets.partition(holds);
    let size = |target: &Target| {
        let entry = preview.index.as_ref()?.executable(target)?;
        Some((target.clone(), entry.size))
    };
    let sizes = targets.iter().filter_map(size).collect();
    lookup.record_head(preview.head).await;
    Ok(Some(Summary {
        targets,
        sizes,
        facts: BTreeMap::new(),
        absent,
        claims: preview.claims,
        world,
        everything: false,
    }))
}

/// Downloads the WIT world with this hash by the index. `None` when the whole archive has to be read.
async fn download_world(
    lookup: &Lookup,
    preview: &Preview,
    hash: &Digest,
) -> Result<Option<Vec<u8>>, Error> {
    let (layer, limits) = (&preview.layer, &lookup.client().limits);
    let most = limits.world;
    let found = preview.index.as_ref().and_then(|index| {
        let entry = index.world()?;
        let Range { start, end } = entry.range;
        let fits = end < layer.size && end - start <= most;
        (fits && entry.is_within(most, limits)).then_some((index, entry))
    });
    let Some((index, entry)) = found else {
        return Ok(lookup.fall_back("it has no index with its world"));
    };
    let part = match read_range(lookup.store(), layer, entry.range.clone()).await {
        Ok(part) => part,
        Err(error) if error.kind() == ErrorKind::Unavailable => return Err(error.into()),
        Err(error) => return Ok(lookup.fall_back(&error.to_string())),
    };
    let mut world = Vec::new();
    let inflated = index.read(entry, part.as_slice()).read_to_end(&mut world);
    if inflated.is_err() || Digest::of(&world) != *hash {
        return Ok(lookup.fall_back("the bytes at its index are not the signed world"));
    }
    Ok(Some(world))
}
