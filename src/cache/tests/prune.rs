use std::collections::BTreeMap;
use std::fs::{self, File};

use super::super::providers::{ClaimsIn, Provider};
use super::super::references::Record;
use super::super::seal::seal;
use super::*;
use crate::content::Descriptor;

const TAG: &str = "ghcr.io/org/provider:1.0.0";

/// A cache with a provider that a tag names through an image index.
struct Cached {
    _directory: tempfile::TempDir,
    cache: Cache,
    index: Digest,
    manifest: Digest,
    layer: Digest,
    executable: Digest,
}

impl Cached {
    fn new(claims: ClaimsIn) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let cache = Cache::open(Some(directory.path())).unwrap();
        let cached = Self {
            index: put(&cache, Kind::Blob, b"{\"manifests\":[]}"),
            manifest: put(&cache, Kind::Blob, b"{}"),
            layer: put(&cache, Kind::Blob, b"layer"),
            executable: put(&cache, Kind::Executable, b"executable"),
            cache,
            _directory: directory,
        };
        let provider = Provider {
            subject: "V".to_owned(),
            issuer: "A".to_owned(),
            name: None,
            version: None,
            valid: (None, None),
            claims,
            executables: BTreeMap::from([("x-linux".to_owned(), cached.executable.clone())]),
            layers: vec![cached.layer.clone()],
            indexes: vec![cached.index.clone()],
            repositories: vec!["ghcr.io/org/provider".to_owned()],
        };
        cached.cache.describe(&cached.manifest, provider).unwrap();
        let record = Record {
            descriptor: Descriptor {
                media_type: String::new(),
                digest: cached.index.clone(),
                size: 0,
            },
            content: None,
            confirmed: SystemTime::now(),
            layout: None,
        };
        cached.cache.record(TAG, &record).unwrap();
        cached
    }

    /// Whether index, manifest, layer and executable are cached.
    fn there(&self) -> [bool; 4] {
        let path = |kind, digest| self.cache.paths.content(kind, digest).exists();
        [
            path(Kind::Blob, &self.index),
            path(Kind::Blob, &self.manifest),
            path(Kind::Blob, &self.layer),
            path(Kind::Executable, &self.executable),
        ]
    }

    /// Returns the reference of the only provider, and whether it can be started without the registry.
    fn listed(&self) -> Option<(String, bool)> {
        let startable = self.cache.list().unwrap().startable;
        assert!(startable.len() <= 1);
        let first = startable.into_iter().next();
        first.map(|row| (row.reference, row.offline))
    }
}

fn put(cache: &Cache, kind: Kind, content: &[u8]) -> Digest {
    let digest = Digest::of(content);
    let path = cache.paths.content(kind, &digest);
    cache.paths.make_way(&path).unwrap();
    fs::write(&path, content).unwrap();
    seal(&File::open(&path).unwrap(), kind.mode()).unwrap();
    digest
}

/// Returns what was removed and what was in use, with the sizes.
fn outcome(pruned: &Pruned) -> (&[PathBuf], &[PathBuf], u64, u64) {
    assert!(pruned.failures.is_empty(), "{:?}", pruned.failures);
    (&pruned.removed, &pruned.in_use, pruned.freed, pruned.left)
}

fn all() -> PruneOptions {
    PruneOptions::default().with_all(true)
}

#[test]
fn a_provider_behind_an_image_index_is_listed_and_removed_with_all_its_files() {
    let cached = Cached::new(ClaimsIn::Manifest);
    assert_eq!(cached.listed(), Some((TAG.to_owned(), true)));
    let dry = cached.cache.prune(&all().with_dry_run(true)).unwrap();
    let pruned = cached.cache.prune(&all()).unwrap();
    assert_eq!(outcome(&dry), outcome(&pruned));
    assert_eq!(cached.there(), [false; 4]);
    assert_eq!(cached.listed(), None);
    assert_eq!((pruned.left, pruned.in_use.len()), (0, 0));
}

#[test]
fn pruning_that_is_stopped_has_removed_whole_files_and_names_them() {
    let cached = Cached::new(ClaimsIn::Manifest);
    let before = cached.cache.prune(&PruneOptions::default()).unwrap();
    let asked = std::cell::Cell::new(0);
    let stop = || asked.replace(asked.get() + 1) >= 2;
    let first = cached.cache.prune_until(&all(), &stop).unwrap();
    assert!(first.is_stopped);
    assert_eq!(first.removed.len(), 2);
    assert_eq!(first.freed + first.left, before.left);
    let second = cached.cache.prune(&all()).unwrap();
    assert_eq!((second.left, second.is_stopped), (0, false));
    // There is nothing that could be stopped.
    let third = cached.cache.prune_until(&all(), &|| true).unwrap();
    assert!(!third.is_stopped);
}

#[test]
fn keeping_an_index_or_a_manifest_keeps_all_files_of_the_provider() {
    let cached = Cached::new(ClaimsIn::Manifest);
    for kept in [&cached.index, &cached.manifest] {
        let options = all().with_keep([kept.clone()]);
        cached.cache.prune(&options).unwrap();
        assert_eq!(cached.there(), [true; 4]);
    }
    assert_eq!(cached.listed(), Some((TAG.to_owned(), true)));
    let other = all().with_keep([Digest::of(b"other")]);
    cached.cache.prune(&other).unwrap();
    assert_eq!(cached.there(), [false; 4]);
}

#[test]
fn pruning_keeps_the_files_that_an_executable_in_use_needs_to_start() {
    for (claims, archive_stays) in [(ClaimsIn::Manifest, false), (ClaimsIn::Archive, true)] {
        let cached = Cached::new(claims);
        let path = cached
            .cache
            .paths
            .content(Kind::Executable, &cached.executable);
        let lease = File::open(&path).unwrap();
        lease.lock_shared().unwrap();
        let dry = cached.cache.prune(&all().with_dry_run(true)).unwrap();
        let pruned = cached.cache.prune(&all()).unwrap();
        assert_eq!(outcome(&dry), outcome(&pruned), "{claims:?}");
        assert_eq!(pruned.in_use, [path]);
        assert_eq!(cached.there(), [true, true, archive_stays, true]);
        assert_eq!(cached.listed(), Some((TAG.to_owned(), true)), "{claims:?}");
    }
}

#[test]
fn claims_at_the_start_of_an_archive_are_used_only_for_the_tag_of_the_record() {
    let cached = Cached::new(ClaimsIn::Head);
    let head = |name: &str| cached.cache.keep_head(name, &cached.manifest, b"head");
    head("ghcr.io/org/provider:2.0.0").unwrap();
    let layer = cached.cache.paths.content(Kind::Blob, &cached.layer);
    fs::remove_file(layer).unwrap();
    assert_eq!(cached.listed(), Some((TAG.to_owned(), false)));
    head(TAG).unwrap();
    assert_eq!(cached.listed(), Some((TAG.to_owned(), true)));
    // By digest, the claims at the start of an archive are not used.
    fs::remove_file(cached.cache.paths.reference(TAG).unwrap()).unwrap();
    let by_digest = format!("ghcr.io/org/provider@{}", cached.manifest);
    assert_eq!(cached.listed(), Some((by_digest, false)));
}

#[test]
fn manifests_without_a_description_stay_with_an_executable_in_use() {
    let cached = Cached::new(ClaimsIn::Manifest);
    fs::remove_file(cached.cache.paths.provider(&cached.manifest)).unwrap();
    let path = cached
        .cache
        .paths
        .content(Kind::Executable, &cached.executable);
    let lease = File::open(path).unwrap();
    lease.lock_shared().unwrap();
    cached.cache.prune(&all()).unwrap();
    assert_eq!(cached.there(), [true, true, false, true]);
    drop(lease);
    cached.cache.prune(&all()).unwrap();
    assert_eq!(cached.there(), [false; 4]);
}
