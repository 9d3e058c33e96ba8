//! The search for the attachments of a manifest, level by level.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};

use crate::content::{
    Descriptor, Digest, ErrorKind, ManifestName, ReadStorage, first_few, with_causes,
};
use crate::oci::{self, DescribedEntry, DescribedLayer, DescribedManifest, Reference, media_type};

use super::super::error::Error;
use super::discovered::{DiscoveredFile, DiscoveredManifest, Relation};
use super::reader::{AttachedManifest, AttachedReader};

/// How many requests are made at a time.
const AT_A_TIME: usize = 4;
/// How many levels below the root are searched. An example: the manifests of an index, their bills of materials, and
/// signatures of these are three levels.
const DEEPEST: usize = 5;
/// How many manifests are listed.
const MOST: usize = 1000;
/// How many bytes all manifests together may have.
const MOST_BYTES: u64 = 64 << 20;

/// A search for the attachments of a manifest.
pub(in crate::client) struct Discovery<'a> {
    store: &'a dyn ReadStorage,
    attached: AttachedReader<'a>,
    reference: &'a Reference,
    nodes: Vec<Node>,
    /// The manifests whose attachments were listed. Each one is listed only once, because tags can form a cycle.
    seen: HashSet<Digest>,
    bytes: u64,
    complete: bool,
    troubles: Mutex<Troubles>,
}

/// The manifests that could not be read, for one warning about each kind of problem.
#[derive(Default)]
struct Troubles {
    /// The manifests that are listed, but do not exist.
    missing: Vec<Digest>,
    /// The manifests that cannot be parsed, each with the reason.
    unknown: Vec<String>,
}

/// A manifest that was found, before the manifests below it are added.
struct Node {
    /// The index of the manifest above in the list of all nodes.
    above: usize,
    found: DiscoveredManifest,
    /// The manifests of an index.
    entries: Vec<DescribedEntry>,
}

/// A manifest that is listed, and not yet read.
enum Named {
    Entry(DescribedEntry),
    Attached(AttachedManifest),
}

impl<'a> Discovery<'a> {
    pub(in crate::client) fn new(
        store: &'a dyn ReadStorage,
        attached: AttachedReader<'a>,
        reference: &'a Reference,
    ) -> Self {
        Self {
            store,
            attached,
            reference,
            nodes: Vec::new(),
            seen: HashSet::new(),
            bytes: 0,
            complete: true,
            troubles: Mutex::default(),
        }
    }

    /// Returns the manifest `name` with the manifests below it, and whether the tree is complete.
    pub(in crate::client) async fn run(
        mut self,
        name: &ManifestName,
    ) -> Result<(DiscoveredManifest, bool), Error> {
        let (descriptor, bytes) = self.store.fetch_manifest(name).await?;
        let described = DescribedManifest::parse(&descriptor, &bytes)?;
        self.nodes
            .push(Node::new(0, descriptor, described, Relation::Root));
        let mut level: Vec<usize> = vec![0];
        for depth in 0..=DEEPEST {
            let named = self.named_by(&level).await?;
            if named.is_empty() {
                break;
            }
            if depth == DEEPEST {
                self.leave_out(&format!("it is more than {DEEPEST} levels deep"));
                break;
            }
            level = self.read_all(named).await?;
        }
        self.warn();
        let complete = self.complete;
        // The root was added first.
        let root = into_tree(self.nodes);
        let root = root.ok_or_else(|| Error::Unnamed(self.reference.to_string()))?;
        Ok((root, complete))
    }

    /// Returns the manifests below those of a level, each with the index of the manifest above.
    async fn named_by(&mut self, level: &[usize]) -> Result<Vec<(usize, Named)>, Error> {
        let mut open = Vec::new();
        for place in level {
            let Some(node) = self.nodes.get_mut(*place) else {
                continue;
            };
            let digest = node.found.manifest.digest.clone();
            if self.seen.insert(digest.clone()) {
                open.push((*place, digest, std::mem::take(&mut node.entries)));
            }
        }
        let this = &*self;
        let listed: Vec<_> = open
            .into_iter()
            .map(|(place, digest, entries)| this.named_by_one(place, digest, entries))
            .collect();
        let listed = stream::iter(listed).buffered(AT_A_TIME);
        let listed: Vec<Vec<(usize, Named)>> = listed.try_collect().await?;
        Ok(listed.into_iter().flatten().collect())
    }

    async fn named_by_one(
        &self,
        place: usize,
        digest: Digest,
        entries: Vec<DescribedEntry>,
    ) -> Result<Vec<(usize, Named)>, Error> {
        let attached = self.attached.of(&digest).await?.into_iter();
        let entries = entries.into_iter().map(Named::Entry);
        let named = entries.chain(attached.map(Named::Attached));
        Ok(named.map(|named| (place, named)).collect())
    }

    /// Reads the listed manifests. Returns the indexes of those that were found.
    async fn read_all(&mut self, mut named: Vec<(usize, Named)>) -> Result<Vec<usize>, Error> {
        let room = MOST.saturating_sub(self.nodes.len());
        if named.len() > room {
            named.truncate(room);
            self.leave_out(&format!("there are more than {MOST} manifests"));
        }
        let this = &*self;
        let reads: Vec<_> = named
            .into_iter()
            .map(|(above, named)| this.read(above, named))
            .collect();
        let mut reads = stream::iter(reads).buffered(AT_A_TIME);
        let mut read = Vec::new();
        let mut bytes = self.bytes;
        let mut is_too_much = false;
        while let Some(found) = reads.try_next().await? {
            let Some(found) = found else { continue };
            bytes = bytes.saturating_add(found.descriptor.size);
            is_too_much = bytes > MOST_BYTES;
            if is_too_much {
                break;
            }
            read.push(found);
        }
        drop(reads);
        self.bytes = bytes;
        if is_too_much {
            let mebibytes = MOST_BYTES >> 20;
            self.leave_out(&format!("the manifests have more than {mebibytes} MiB"));
        }
        let mut places = Vec::new();
        for found in read {
            places.push(self.nodes.len());
            self.complete &= found.described.is_some();
            self.nodes.push(found.into_node());
        }
        Ok(places)
    }

    /// Reads a listed manifest. Returns `None` if it does not exist, or if its subject is not the manifest above.
    async fn read(&self, above: usize, named: Named) -> Result<Option<Read>, Error> {
        let (digest, relation) = match named {
            Named::Entry(DescribedEntry {
                descriptor,
                platform,
            }) => {
                let relation = Relation::Entry { platform };
                if !is_manifest(&descriptor) {
                    // Tools list blobs in an index, such as the layers of a build cache.
                    return Ok(Some(Read {
                        above,
                        descriptor,
                        described: Some(DescribedManifest::default()),
                        relation,
                    }));
                }
                (descriptor.digest, relation)
            }
            Named::Attached(AttachedManifest::Referrer(listed)) => {
                (listed.digest, Relation::Referrer)
            }
            Named::Attached(AttachedManifest::Tagged(tag, listed)) => {
                (listed.digest, Relation::Tag(tag))
            }
        };
        let name = ManifestName::Digest(digest.clone());
        let (descriptor, bytes) = match self.store.fetch_manifest(&name).await {
            Ok(fetched) => fetched,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                self.troubles().missing.push(digest);
                return Ok(None);
            }
            Err(error) => return Err(error.into()),
        };
        let described = self.parse(&descriptor, &bytes);
        let subject = described.as_ref().and_then(|found| found.subject.as_ref());
        let parent = self.nodes.get(above);
        let parent = parent.map(|node| &node.found.manifest.digest);
        if relation == Relation::Referrer && described.is_some() && subject != parent {
            tracing::info!(
                "ignoring {name}, which is listed as a referrer but names another subject"
            );
            return Ok(None);
        }
        Ok(Some(Read {
            above,
            descriptor,
            described,
            relation,
        }))
    }

    /// Parses a manifest. Returns `None` if it is malformed, and records it for the warning.
    fn parse(&self, descriptor: &Descriptor, bytes: &Bytes) -> Option<DescribedManifest> {
        let manifest = DescribedManifest::parse(descriptor, bytes);
        let note = |error: &oci::Error| {
            let reason = format!("{} ({})", descriptor.digest, with_causes(error));
            self.troubles().unknown.push(reason);
        };
        manifest.inspect_err(note).ok()
    }

    fn troubles(&self) -> MutexGuard<'_, Troubles> {
        self.troubles.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Warns about manifests that could not be read. There is one warning for all of them, because a list may have many
    /// wrong entries.
    fn warn(&self) {
        let (troubles, reference) = (self.troubles(), self.reference);
        match troubles.missing.as_slice() {
            [] => {}
            [missing] => {
                tracing::warn!("{missing} is listed at {reference}, but does not exist there");
            }
            missing => tracing::warn!(
                "{} manifests are listed at {reference}, but do not exist there: {}",
                missing.len(),
                first_few(missing)
            ),
        }
        if !troubles.unknown.is_empty() {
            let unknown = first_few(&troubles.unknown);
            tracing::warn!("some manifests at {reference} cannot be read: {unknown}");
        }
    }

    fn leave_out(&mut self, reason: &str) {
        self.complete = false;
        let reference = self.reference;
        tracing::warn!("not all attachments of {reference} are listed: {reason}");
    }
}

/// Moves each manifest into the manifest above it. Returns the root, or `None` if there is none.
fn into_tree(mut nodes: Vec<Node>) -> Option<DiscoveredManifest> {
    loop {
        let mut node = nodes.pop()?;
        // All manifests below this one were added already, the last one first.
        node.found.manifests.reverse();
        if nodes.is_empty() {
            return Some(node.found);
        }
        nodes.get_mut(node.above)?.found.manifests.push(node.found);
    }
}

impl Node {
    fn new(
        above: usize,
        manifest: Descriptor,
        described: DescribedManifest,
        relation: Relation,
    ) -> Self {
        let files = described.layers.into_iter();
        let files = files.map(|DescribedLayer { descriptor, title }| DiscoveredFile {
            content: descriptor,
            title,
        });
        Self {
            above,
            found: DiscoveredManifest {
                manifest,
                relation,
                artifact_type: described.artifact_type,
                annotations: described.annotations,
                files: files.collect(),
                vouching: None,
                manifests: Vec::new(),
            },
            entries: described.entries,
        }
    }
}

/// A manifest that was read.
struct Read {
    above: usize,
    descriptor: Descriptor,
    /// The parsed manifest. `None`: it is malformed.
    described: Option<DescribedManifest>,
    relation: Relation,
}

impl Read {
    fn into_node(self) -> Node {
        let described = self.described.unwrap_or_default();
        Node::new(self.above, self.descriptor, described, self.relation)
    }
}

/// Returns whether content may be a manifest. Content without a media type may be one, because some tools leave it out.
fn is_manifest(content: &Descriptor) -> bool {
    content.media_type.is_empty() || media_type::is_manifest(&content.media_type)
}
