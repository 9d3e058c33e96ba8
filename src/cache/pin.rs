//! The publisher to which a repository is pinned, and the format of its file.

use std::collections::BTreeMap;
use std::time::SystemTime;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::content::{Digest, rfc3339, unix_seconds, unix_time};

/// The most tags for which the highest revision is kept. With so many tags, a file is far smaller than the largest that
/// is read.
pub(super) const TAG_LIMIT: usize = 4096;
/// The most digests that are kept.
const DIGEST_LIMIT: usize = 512;

/// The publisher to which a repository is pinned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Pin {
    /// The public key of the account that signs the archives, `A…`.
    pub issuer: String,
    /// The public key that identifies the provider, `V…`.
    pub subject: String,
    /// The time at which the repository was pinned, in whole seconds.
    #[serde(serialize_with = "write_seconds", deserialize_with = "read_seconds")]
    pub since: SystemTime,
    /// The highest revision that was used, by tag. Archives without a revision are not recorded.
    #[serde(default)]
    pub revisions: BTreeMap<String, i32>,
    /// The accounts (`A…`) that published before, each replaced by a rotation statement.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub former: BTreeMap<String, FormerIssuer>,
    /// The date of the newest rotation statement that was followed, in whole seconds.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        serialize_with = "write_optional",
        deserialize_with = "read_optional"
    )]
    pub rotated: Option<SystemTime>,
    /// The digests of the manifests that were used, the latest last. Only the latest 512 are kept.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub digests: Vec<Digest>,
}

/// An account that a rotation statement has replaced.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FormerIssuer {
    /// Whether archives of the account are accepted only by the digests that were used before.
    #[serde(default)]
    pub retired: bool,
}

impl FormerIssuer {
    /// Returns the value for an account whose archives are all still accepted.
    #[must_use]
    pub(crate) fn active() -> Self {
        Self::default()
    }
}

impl Pin {
    /// Makes a pin with the current time as its time.
    #[must_use]
    pub fn new(issuer: &str, subject: &str) -> Self {
        Self {
            issuer: issuer.to_owned(),
            subject: subject.to_owned(),
            since: unix_time(unix_seconds(SystemTime::now())),
            revisions: BTreeMap::new(),
            former: BTreeMap::new(),
            rotated: None,
            digests: Vec::new(),
        }
    }

    /// Returns the time at which the repository was pinned, as text: `2026-11-21T08:49:37Z`.
    #[must_use]
    pub fn date(&self) -> String {
        rfc3339(unix_seconds(self.since))
    }

    /// Whether the pin allows all archives of this account (`A…`), not only those with known digests.
    #[must_use]
    pub fn allows_issuer(&self, issuer: &str) -> bool {
        let former = self.former.get(issuer);
        self.issuer == issuer || former.is_some_and(|former| !former.retired)
    }

    /// Records that the manifest with this digest was used.
    pub(crate) fn note_use(&mut self, digest: &Digest) {
        if !self.digests.contains(digest) {
            self.digests.push(digest.clone());
        }
    }

    /// Whether `other` is equal to `self` except for the digests that were used.
    pub(crate) fn differs_in_uses_only(&self, other: &Self) -> bool {
        let digests = other.digests.clone();
        *other
            == Self {
                digests,
                ..self.clone()
            }
    }

    /// Returns a pin with the knowledge of both `self` and `other`. `None` when they name different publishers.
    pub(super) fn merged(&self, other: &Self) -> Option<Self> {
        let accounts_agree =
            self.issuer == other.issuer || self.follows(other) || other.follows(self);
        if self.subject != other.subject || !accounts_agree {
            return None;
        }
        let newer = if other.rotated > self.rotated {
            other
        } else {
            self
        };
        let mut merged = newer.clone();
        merged.since = self.since.min(other.since);
        for source in [self, other] {
            for (tag, revision) in &source.revisions {
                let highest = merged.revisions.entry(tag.clone()).or_insert(*revision);
                *highest = (*highest).max(*revision);
            }
            for (issuer, former) in &source.former {
                if *issuer != merged.issuer {
                    let known = merged.former.entry(issuer.clone()).or_default();
                    known.retired |= former.retired;
                }
            }
            source
                .digests
                .iter()
                .for_each(|digest| merged.note_use(digest));
        }
        Some(merged)
    }

    /// Whether a rotation statement has replaced the account of `other` by the account of this pin.
    fn follows(&self, other: &Self) -> bool {
        self.rotated > other.rotated && self.former.contains_key(&other.issuer)
    }

    /// Removes entries beyond the limits: the lowest revisions, which are the oldest, and the earliest digests.
    pub(super) fn shorten(&mut self) {
        while self.revisions.len() > TAG_LIMIT {
            let lowest = self.revisions.iter().min_by_key(|(_, revision)| **revision);
            let Some(tag) = lowest.map(|(tag, _)| tag.clone()) else {
                return;
            };
            self.revisions.remove(&tag);
        }
        let excess = self.digests.len().saturating_sub(DIGEST_LIMIT);
        self.digests.drain(..excess);
    }
}

fn write_seconds<S: Serializer>(time: &SystemTime, output: S) -> Result<S::Ok, S::Error> {
    output.serialize_u64(unix_seconds(*time))
}

fn read_seconds<'de, D: Deserializer<'de>>(input: D) -> Result<SystemTime, D::Error> {
    u64::deserialize(input).map(unix_time)
}

fn write_optional<S: Serializer>(time: &Option<SystemTime>, output: S) -> Result<S::Ok, S::Error> {
    time.map(unix_seconds).serialize(output)
}

fn read_optional<'de, D: Deserializer<'de>>(input: D) -> Result<Option<SystemTime>, D::Error> {
    Ok(Option::<u64>::deserialize(input)?.map(unix_time))
}

#[cfg(test)]
#[path = "tests/pin.rs"]
mod tests;
