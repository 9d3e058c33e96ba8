//! Copying the attachments of a manifest: its referrers, the manifests that cosign stores under tags made of its digest, the
//! attachments of an index's manifests, and attachments of attachments.
//!
//! Jobs list, read and send attachments, several at a time. Only manifests that were read and not yet sent are in memory.

use std::collections::{HashSet, VecDeque};

use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt};
use tokio::sync::watch;

use crate::content::{Descriptor, Digest, ErrorKind, with_causes};
use crate::oci::{self, Reference};

use super::super::error::Error;
use super::super::transfer::{LeftOut, Transfer, Tree};
use super::bounds::AttachedBounds;
use super::reader::{AttachedManifest, AttachedReader, FetchedAttached};

/// How many jobs run at a time.
const AT_A_TIME: usize = 8;
/// How many errors are logged as warnings, besides the first one, which is returned. Further errors are logged as
/// information.
const MOST_WARNINGS: usize = 3;

/// The attachments that were copied with a manifest.
#[derive(Debug, Default)]
pub(in crate::client) struct AttachedCopied {
    /// How many referrers the destination has now.
    pub(in crate::client) referrers: usize,
    /// How many tags made of digests, such as `sha256-….sig`, the destination has now.
    pub(in crate::client) tags: usize,
    /// The content that the source lists, but does not have.
    pub(in crate::client) left_out: Vec<LeftOut>,
    /// The first manifest that was not copied, its error, and how many other manifests failed.
    pub(in crate::client) failed: Option<(Digest, Error, usize)>,
}

impl AttachedCopied {
    fn fail(&mut self, digest: Digest, error: Error) -> Result<(), Error> {
        if !concerns_one_manifest(&error) {
            return Err(error);
        }
        match &mut self.failed {
            None => self.failed = Some((digest, error, 0)),
            Some((_, _, others)) => {
                if *others < MOST_WARNINGS {
                    tracing::warn!("{digest} was not copied: {}", with_causes(&error));
                } else {
                    tracing::info!("{digest} was not copied: {}", with_causes(&error));
                }
                *others += 1;
            }
        }
        Ok(())
    }
}

/// Returns whether the copy can continue with other manifests after this error.
fn concerns_one_manifest(error: &Error) -> bool {
    let cause = match error {
        Error::Store(error) => error.downcast_ref(),
        Error::Oci(error) => Some(error),
        _ => None,
    };
    match error.kind() {
        ErrorKind::Unavailable => false,
        ErrorKind::Other => matches!(
            cause.map(oci::Error::root),
            Some(oci::Error::Refused { .. } | oci::Error::Upload { .. })
        ),
        _ => true,
    }
}

/// Copies the attachments of a manifest from `source`.
pub(in crate::client) struct AttachedCopy<'a> {
    pub(in crate::client) transfer: &'a Transfer<'a>,
    pub(in crate::client) source: &'a Reference,
    pub(in crate::client) reader: AttachedReader<'a>,
}

/// A step of the copy. `level` is the level of attachments that the manifest is on: 0 for the copied manifest.
enum Job {
    List {
        subject: Digest,
        level: usize,
    },
    Read {
        attached: AttachedManifest,
        subject: Digest,
        level: usize,
    },
    Send {
        attached: AttachedManifest,
        tree: Tree,
    },
}

/// The result of a job.
enum Done {
    Listed {
        attached: Vec<AttachedManifest>,
        subject: Digest,
        level: usize,
    },
    Read {
        attached: AttachedManifest,
        tree: Tree,
        level: usize,
    },
    /// The manifest is listed as a referrer, but does not name the subject.
    Ignored,
    /// The source lists the manifest, but does not have it.
    Missing(Descriptor),
    Sent(AttachedManifest, Vec<LeftOut>),
    Failed(Digest, Error),
}

impl AttachedCopy<'_> {
    /// Lists the attachments of `subjects`, without attachments of attachments. Nothing is copied.
    pub(in crate::client) async fn find(&self, subjects: Vec<Digest>) -> Result<Found, Error> {
        let mut found = Found::default();
        let mut waiting: VecDeque<Digest> = subjects.into();
        let mut running = FuturesUnordered::new();
        loop {
            while running.len() < AT_A_TIME
                && let Some(subject) = waiting.pop_front()
            {
                found.listed.insert(subject.clone());
                running.push(self.list(subject, 0));
            }
            match running.next().await {
                Some(Done::Failed(_, error)) => return Err(error),
                Some(Done::Listed {
                    attached, subject, ..
                }) => {
                    found.attached.push((subject, attached));
                }
                Some(_) => {}
                None => return Ok(found),
            }
        }
    }

    /// Copies the attachments in `found`, and attachments of attachments. Their blobs are sent at once. Their manifests are
    /// sent after `subjects` has become `true`, which means that the destination accepts them.
    pub(in crate::client) async fn copy(
        &self,
        found: Found,
        subjects: watch::Receiver<bool>,
    ) -> Result<AttachedCopied, Error> {
        let mut work = Work {
            listed: found.listed,
            bounds: AttachedBounds::new(self.source),
            waiting: VecDeque::new(),
            copied: AttachedCopied::default(),
        };
        for (subject, attached) in found.attached {
            work.add(attached, &subject, 1)?;
        }
        let mut running = FuturesUnordered::new();
        loop {
            while running.len() < AT_A_TIME
                && let Some(job) = work.waiting.pop_front()
            {
                running.push(self.run(job, &subjects));
            }
            match running.next().await {
                Some(done) => work.note(done)?,
                None => return Ok(work.copied),
            }
        }
    }

    async fn run(&self, job: Job, subjects: &watch::Receiver<bool>) -> Done {
        match job {
            Job::List { subject, level } => self.list(subject, level).await,
            Job::Read {
                attached,
                subject,
                level,
            } => {
                let digest = attached.digest().clone();
                let read = self.read(attached, &subject, level).await;
                read.unwrap_or_else(|error| Done::Failed(digest, error))
            }
            Job::Send { attached, tree } => match self.send(&attached, &tree, subjects).await {
                Ok(()) => Done::Sent(attached, tree.left_out),
                Err(error) => Done::Failed(attached.digest().clone(), error),
            },
        }
    }

    async fn list(&self, subject: Digest, level: usize) -> Done {
        match self.reader.of(&subject).await {
            Ok(attached) => Done::Listed {
                attached,
                subject,
                level,
            },
            Err(error) => Done::Failed(subject, error),
        }
    }

    /// Reads a manifest and all manifests that it names, except its subject.
    async fn read(
        &self,
        attached: AttachedManifest,
        subject: &Digest,
        level: usize,
    ) -> Result<Done, Error> {
        let (manifest, bytes) = match self.reader.fetch(&attached, subject).await? {
            FetchedAttached::Found(manifest, bytes) => (manifest, bytes),
            FetchedAttached::Missing => {
                return Ok(Done::Missing(attached.descriptor().clone()));
            }
            FetchedAttached::OtherSubject => {
                let digest = attached.digest();
                tracing::info!(
                    "{digest} is listed as a referrer of {subject}, and does not name it"
                );
                return Ok(Done::Ignored);
            }
        };
        // Boxed, because the compiler limits how deep futures may be nested.
        let tree = Tree::read_attached(self.transfer.from, self.source, &manifest, bytes, subject);
        let tree = tree.boxed().await?;
        Ok(Done::Read {
            attached,
            tree,
            level,
        })
    }

    async fn send(
        &self,
        attached: &AttachedManifest,
        tree: &Tree,
        subjects: &watch::Receiver<bool>,
    ) -> Result<(), Error> {
        let transfer = self.transfer;
        transfer.blobs(tree).boxed().await?;
        // An error means that the sender was dropped, and then the whole copy has been dropped, too.
        let _ = subjects.clone().wait_for(|stored| *stored).await;
        let tag = match attached {
            AttachedManifest::Referrer(_) => None,
            AttachedManifest::Tagged(tag, manifest) => {
                let before = transfer.to.tagged(tag).await?.map(|before| before.digest);
                match before {
                    Some(before) if before == manifest.digest => None,
                    Some(before) => {
                        let digest = &manifest.digest;
                        tracing::warn!("the tag {tag} moves from {before} to {digest}");
                        Some(tag.as_str())
                    }
                    None => Some(tag.as_str()),
                }
            }
        };
        transfer.manifests(tree, tag).await
    }
}

/// The attachments of some manifests.
#[derive(Debug, Default)]
pub(in crate::client) struct Found {
    listed: HashSet<Digest>,
    attached: Vec<(Digest, Vec<AttachedManifest>)>,
}

impl Found {
    pub(in crate::client) fn is_empty(&self) -> bool {
        self.attached
            .iter()
            .all(|(_, attached)| attached.is_empty())
    }
}

/// The remaining jobs, and the result so far.
struct Work<'a> {
    /// The manifests whose attachments were listed, or will be.
    listed: HashSet<Digest>,
    bounds: AttachedBounds<'a>,
    waiting: VecDeque<Job>,
    copied: AttachedCopied,
}

impl Work<'_> {
    fn note(&mut self, done: Done) -> Result<(), Error> {
        match done {
            Done::Listed {
                attached,
                subject,
                level,
            } => self.add(attached, &subject, level + 1)?,
            Done::Read {
                attached,
                tree,
                level,
            } => {
                for subject in tree.own_manifests() {
                    if self.listed.insert(subject.clone()) {
                        self.waiting.push_back(Job::List { subject, level });
                    }
                }
                // Sending goes first, because it frees memory.
                self.waiting.push_front(Job::Send { attached, tree });
            }
            Done::Ignored => {}
            Done::Missing(missing) => self.copied.left_out.push(LeftOut {
                digest: missing.digest,
                media_type: missing.media_type,
                urls: Vec::new(),
            }),
            Done::Sent(attached, left_out) => {
                match attached {
                    AttachedManifest::Referrer(_) => self.copied.referrers += 1,
                    AttachedManifest::Tagged(..) => self.copied.tags += 1,
                }
                self.copied.left_out.extend(left_out);
            }
            Done::Failed(digest, error) => self.copied.fail(digest, error)?,
        }
        Ok(())
    }

    fn add(
        &mut self,
        attached: Vec<AttachedManifest>,
        subject: &Digest,
        level: usize,
    ) -> Result<(), Error> {
        for attached in attached {
            if self.bounds.note(&attached, subject, level)? {
                self.waiting.push_back(Job::Read {
                    attached,
                    subject: subject.clone(),
                    level,
                });
            }
        }
        Ok(())
    }
}
