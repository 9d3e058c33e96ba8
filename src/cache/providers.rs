//! Descriptions of the providers in the cache.
//!
//! The cache does not read manifests and archives. When a client uses one, it stores a description here after it has
//! verified the content. Listing and pruning use the descriptions to find the files of one provider. A description is
//! not trusted: nothing is started because of it.

use std::collections::BTreeMap;
use std::io;

use serde::{Deserialize, Serialize};

use crate::content::{AtomicFile, Digest};

use super::error::Error;
use super::files::read_file;
use super::open::Cache;

/// The largest description that is read, in bytes.
const LIMIT: u64 = 256 * 1024;
/// The most repositories, and the most indexes, that are remembered for one manifest.
const MOST: usize = 16;

/// The place where the claims of a provider are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ClaimsIn {
    /// On its manifest.
    Manifest,
    /// In the first bytes of the archive, which are kept for a tag.
    Head,
    /// Only in the archive.
    Archive,
}

/// The description of the provider in a manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Provider {
    /// The subject of the claims (`V…`).
    pub(crate) subject: String,
    /// The issuer of the claims (`A…`).
    pub(crate) issuer: String,
    /// The name in the claims.
    #[serde(default)]
    pub(crate) name: Option<String>,
    /// The version in the claims.
    #[serde(default)]
    pub(crate) version: Option<String>,
    /// The times from which and until which the claims are valid, in seconds since 1970.
    #[serde(default)]
    pub(crate) valid: (Option<u64>, Option<u64>),
    pub(crate) claims: ClaimsIn,
    /// The signed hash of the executable of each target.
    pub(crate) executables: BTreeMap<String, Digest>,
    /// The layers of the manifest, which make up the archive.
    pub(crate) layers: Vec<Digest>,
    /// The image indexes by which the manifest was found.
    #[serde(default)]
    pub(crate) indexes: Vec<Digest>,
    /// The repositories in which the manifest was found by its digest.
    #[serde(default)]
    pub(crate) repositories: Vec<String>,
}

impl Provider {
    /// Whether the claims are valid `now`, in seconds since 1970.
    pub(super) fn is_valid(&self, now: u64) -> bool {
        // The clocks may differ by a minute, as in the verification of claims.
        const LEEWAY: u64 = 60;
        let (from, until) = self.valid;
        from.is_none_or(|from| from <= now.saturating_add(LEEWAY))
            && until.is_none_or(|until| until >= now)
    }

    /// Merges this description into an earlier one of the same manifest.
    fn added_to(self, earlier: &Self) -> Self {
        let mut added = Self {
            indexes: earlier.indexes.clone(),
            repositories: earlier.repositories.clone(),
            ..self.clone()
        };
        extend(&mut added.indexes, self.indexes);
        extend(&mut added.repositories, self.repositories);
        // A fetch by digest does not use the first bytes that are kept for a tag, so it does not know of them.
        if added.claims == ClaimsIn::Archive {
            added.claims = earlier.claims;
        }
        added
    }
}

fn extend<T: PartialEq>(values: &mut Vec<T>, more: Vec<T>) {
    for value in more {
        if !values.contains(&value) && values.len() < MOST {
            values.push(value);
        }
    }
}

impl Cache {
    /// Stores the description of the provider in `manifest`. Blocks.
    pub(crate) fn describe(&self, manifest: &Digest, provider: Provider) -> Result<(), Error> {
        let path = self.paths.provider(manifest);
        let provider = match self.described(manifest)? {
            Some(known) => {
                let added = provider.added_to(&known);
                if added == known {
                    return Ok(());
                }
                added
            }
            None => provider,
        };
        self.paths.make_way(&path)?;
        serde_json::to_vec(&provider)
            .map_err(io::Error::other)
            .and_then(|text| AtomicFile::create_private(&path)?.commit_with(&text))
            .map_err(Error::file(&path))
    }

    /// Returns the description of the provider in `manifest`. Ignores a damaged description. Blocks.
    pub(super) fn described(&self, manifest: &Digest) -> Result<Option<Provider>, Error> {
        let path = self.paths.provider(manifest);
        let text = read_file(&path, LIMIT).map_err(Error::file(&path))?;
        Ok(text.and_then(|text| serde_json::from_slice(&text).ok()))
    }
}
