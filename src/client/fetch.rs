//! Fetch: from a reference to the path of a verified executable.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, Once, PoisonError};

use futures_util::future::BoxFuture;
use futures_util::{FutureExt, StreamExt, stream};
use tokio_util::task::AbortOnDropHandle;
use tracing::Instrument;
use wascap::jwt::{CapabilityProvider, Token};

use crate::archive::{RequestedTarget, Target};
use crate::cache::{Cache, Executable};
use crate::content::is_noexec;
use crate::oci::Reference;

use super::about::about;
use super::blocking::blocking;
use super::client::Client;
use super::error::Error;
use super::fetched::Fetched;
use super::host::{HostProblem, host_problems};
use super::lookup::{CachedArchive, LATEST, Lookup};
use super::outcomes::Outcomes;
use super::ranged::ExecutableDownload;

/// The most executables whose problems one process reports.
const MOST_WARNINGS: usize = 1_000;

impl Client {
    /// Returns the executable for `target` of the provider that `reference` stands for. Of an image index, the
    /// manifest for `target` is used.
    ///
    /// By default, the client asks the registry each time which manifest a tag names, so it notices a moved tag
    /// ([`PullPolicy`](super::PullPolicy)). Content that has not changed is not downloaded again. Any number of tasks
    /// and processes may fetch the same executable at the same time: one of them does the work, and all others get its
    /// result. When the future that does the work is dropped, another one continues. While that future is kept and not
    /// polled, the others wait. The first fetch from a repository pins its publisher, unless the trust policy says
    /// otherwise.
    ///
    /// An archive that was pushed with its claims and its index on the manifest, as [`push`](Self::push) does for one
    /// that carries an index, is not downloaded as a whole. The claims are verified, and checked against the trust
    /// policy, before any download. Then the bytes of this one executable are downloaded, and the executable is returned if it
    /// has the hash that the claims sign. The rest of the archive is not checked then. The issuer of the claims on the
    /// manifest is the publisher of the executable. If the archive contains other claims, the operations that read the
    /// whole archive refuse it with [`Error::OtherClaims`].
    ///
    /// If the manifest carries no claims and `reference` is a tag, the claims at the start of the archive are used. For
    /// a reference with a digest they are not, because the digest does not cover them. In that case, and when anything
    /// is unexpected, the whole archive is downloaded and verified.
    ///
    /// If this machine cannot start an executable for its own target, a warning is logged, once for each path. The
    /// fetch succeeds nevertheless. [`host_problems`](super::host_problems) returns the reasons.
    ///
    /// A program with several threads has to be prepared for
    /// [`ExecutableFileBusy`](std::io::ErrorKind::ExecutableFileBusy) (`ETXTBSY`) when it starts an executable that it
    /// has just fetched. Linux does not start a file that is open for writing. When another thread starts a program
    /// during the fetch, its child process has a copy of all open files, also of the one for writing the executable,
    /// until the child executes that program. Try again after some milliseconds, as `examples/host.rs` in the
    /// repository does.
    ///
    /// # Errors
    ///
    /// [`Error`] of the registry, the cache, the archive or the trust policy.
    pub async fn fetch(&self, reference: &Reference, target: &Target) -> Result<Fetched, Error> {
        self.fetch_requested(reference, &target.into()).await
    }

    /// [Fetches](Self::fetch) the executable that `target` means among those that the claims name.
    #[tracing::instrument(name = "fetch", skip_all, fields(%reference, %target, digest))]
    pub(crate) async fn fetch_requested(
        &self,
        reference: &Reference,
        target: &RequestedTarget,
    ) -> Result<Fetched, Error> {
        let client = about(self, reference);
        let reference = &self.locked(reference)?;
        let key = (reference.to_string(), target.clone(), self.pull);
        let fetching = self.fetches.join(&key);
        let work = async {
            let fetched = fetch_alone(&client, reference, target).await;
            if let Ok(fetched) = &fetched {
                warn_of_problems(fetched, target).await;
            }
            match fetched {
                // The runtime of this task ends. A task of another runtime begins again.
                Err(error) if error.is_of_one_task() => Err(error),
                fetched => {
                    // Later calls ask again, because a tag may move.
                    self.fetches.leave(&key, &fetching);
                    Ok(fetched.map_err(Arc::new))
                }
            }
        };
        let fetched = fetching.get_or_try_init(|| work).await?.clone();
        drop(fetching);
        // A task that shared its fetch with no other gets the error itself.
        fetched.map_err(|error| match Arc::try_unwrap(error) {
            Ok(error) => error,
            Err(shared) => Error::Shared(shared),
        })
    }

    /// Returns the executable for this machine of the provider that `oci_ref` stands for, and its signed token.
    ///
    /// The signature is that of `OciFetcher::fetch_provider` in `wasmcloud-core` 0.21, so a host migrates by building a
    /// `Client` in place of an `OciFetcher`. The options of that fetcher are in
    /// [`ClientOptions`](super::ClientOptions). There are three differences. The executable is verified. There is
    /// always a token. Hosts share the cached executables, to which no host writes, so `host_id` makes no difference.
    ///
    /// The tag `latest` is fetched like any other, unless the [settings](crate::oci::RegistrySettings::allow_latest) of
    /// its registry refuse it. A reference without a tag means `latest` where the settings allow that tag. Elsewhere it
    /// is [`Error::Unnamed`].
    ///
    /// # Errors
    ///
    /// As for [`fetch`](Self::fetch); [`Error::Reference`] if `oci_ref` is not a reference.
    pub async fn fetch_provider(
        &self,
        oci_ref: impl AsRef<str>,
        _host_id: impl AsRef<str>,
    ) -> Result<(PathBuf, Option<Token<CapabilityProvider>>), Error> {
        let mut reference: Reference = oci_ref.as_ref().parse()?;
        if let Reference::Registry(place) = &reference
            && reference.name().is_none()
            && self.registries.allows_latest(place.registry()) == Some(true)
        {
            reference = reference.with_tag(LATEST)?;
        }
        let fetched = self.fetch(&reference, &Target::host()).await?;
        let token = fetched.claims.as_wascap().clone();
        Ok((fetched.path, Some(token)))
    }

    /// [Fetches](Self::fetch) the executables for `target` of all `references`, at most `at_once` at the same time and
    /// never more than [`ClientOptions::at_once`](super::ClientOptions::at_once). Each result comes with its reference,
    /// in the order in which the fetches end. A failure does not stop the others.
    ///
    /// A fetch begins only while the caller waits for a result. Fetches that have begun go on. Dropping the results stops
    /// the fetches that have not ended. Executables that were fetched stay in the cache.
    ///
    /// ```no_run
    /// use std::num::NonZeroUsize;
    /// use wasmcloud_par::{Client, Reference, Target};
    ///
    /// async fn prefetch(client: &Client, references: Vec<Reference>) {
    ///     let mut fetches = client.prefetch(references, &Target::host(), NonZeroUsize::MIN);
    ///     while let Some((reference, fetched)) = fetches.next().await {
    ///         match fetched {
    ///             Ok(fetched) => println!("{reference} is {}", fetched.path.display()),
    ///             Err(error) => println!("{reference}: {error}"),
    ///         }
    ///     }
    /// }
    /// ```
    pub fn prefetch(
        &self,
        references: impl IntoIterator<Item = Reference>,
        target: &Target,
        at_once: NonZeroUsize,
    ) -> Outcomes<(Reference, Result<Fetched, Error>)> {
        let fetches = references.into_iter().map(|reference| {
            let (client, target, wanted) = (self.clone(), target.clone(), reference.clone());
            let fetch = async move { client.fetch(&wanted, &target).await };
            async move {
                // The fetch is a task, so that it ends, and others get its turn, while the caller does not wait.
                let fetching = AbortOnDropHandle::new(tokio::spawn(fetch.in_current_span()));
                let fetched = match fetching.await {
                    Ok(fetched) => fetched,
                    Err(error) => match error.try_into_panic() {
                        Ok(panic) => resume_unwind(panic),
                        Err(_) => Err(Error::Cancelled),
                    },
                };
                (reference, fetched)
            }
        });
        // Collected first: the stream must not borrow from the caller.
        let fetches: Vec<_> = fetches.collect();
        Outcomes::new(stream::iter(fetches).buffer_unordered(at_once.get()))
    }
}

/// Fetches without sharing the work with other tasks.
///
/// The future is boxed here. The type of the future would otherwise exceed limits of the compiler in programs that use
/// it, and each of these programs would compile it again.
pub(super) fn fetch_alone<'a>(
    client: &'a Client,
    reference: &'a Reference,
    target: &'a RequestedTarget,
) -> BoxFuture<'a, Result<Fetched, Error>> {
    fetch(client, reference, target).boxed()
}

async fn fetch(
    client: &Client,
    reference: &Reference,
    target: &RequestedTarget,
) -> Result<Fetched, Error> {
    let lookup = Lookup::start(client, reference, target.usual()).await?;
    let missing = lookup.missing().await?;
    // An archive in the cache needs no preview: everything in it can be read.
    if missing > 0
        && let Some(fetched) = fetch_by_range(&lookup, target).await?
    {
        return Ok(fetched);
    }
    let fetched = lookup
        .with_archive(|archive| fetch_from_archive(&lookup, archive, target))
        .await?;
    lookup.record(&fetched.claims, None).await;
    Ok(Fetched {
        downloaded: missing,
        ..fetched
    })
}

/// Fetches without the archive: from the cache, by the signed hash, or by downloading the bytes of this one executable.
/// Returns `None` when the whole archive has to be read.
async fn fetch_by_range(
    lookup: &Lookup,
    target: &RequestedTarget,
) -> Result<Option<Fetched>, Error> {
    let Some(preview) = lookup.preview().await? else {
        return Ok(None);
    };
    let admission = lookup.admission();
    admission.check(&preview.claims).await?;
    lookup.check_identity().await?;
    let target = target.among(preview.claims.executables());
    let hash = preview.claims.executable(target);
    let hash = hash.map_err(Error::unusable(lookup.reference()))?;
    // The cache names executables by their hash. A file with the name of the signed hash has that hash.
    let claims = &preview.claims;
    let (executable, _lock) = lookup.executable_or_slot(claims, target, hash).await?;
    let (path, downloaded) = match executable {
        Executable::Ready(path) => (path, None),
        Executable::Missing(slot) => {
            let download = ExecutableDownload {
                lookup,
                preview: &preview,
                target,
                hash,
            };
            match download.run(slot).await? {
                Some((path, downloaded)) => (path, Some(downloaded)),
                None => return Ok(None),
            }
        }
    };
    admission.pin(&preview.claims).await?;
    lookup.record(&preview.claims, preview.head).await;
    Ok(Some(Fetched {
        path,
        digest: lookup.digest(),
        cached: downloaded.is_none(),
        downloaded: preview.downloaded + downloaded.unwrap_or_default(),
        claims: preview.claims,
        freshness: lookup.freshness.clone(),
    }))
}

/// Fetches from an archive in the cache.
async fn fetch_from_archive(
    lookup: &Lookup,
    archive: CachedArchive,
    target: &RequestedTarget,
) -> Result<Fetched, Error> {
    let claims = lookup.claims(&archive).await?;
    let target = target.among(claims.executables());
    let hash = claims.executable(target);
    let hash = hash.map_err(Error::unusable(lookup.reference()))?;
    let (executable, _lock) = lookup.executable_or_slot(&claims, target, hash).await?;
    let (path, cached) = match executable {
        Executable::Ready(path) => (path, true),
        Executable::Missing(slot) => {
            let path = slot.destination().to_owned();
            lookup
                .extract(
                    archive,
                    &target.into(),
                    move |_| path.clone(),
                    Cache::EXECUTABLE_MODE,
                )
                .await
                .map_err(Error::in_cache)?;
            (blocking(move || Ok(slot.fill()?)).await?, false)
        }
    };
    lookup.admission().pin(&claims).await?;
    Ok(Fetched {
        path,
        digest: lookup.digest(),
        claims,
        cached,
        downloaded: 0,
        freshness: lookup.freshness.clone(),
    })
}

/// Warns why this machine cannot start a fetched executable.
async fn warn_of_problems(fetched: &Fetched, target: &RequestedTarget) {
    let target = target.among(fetched.claims.executables());
    let (path, cached, is_for_host) = (
        fetched.path.clone(),
        fetched.cached,
        *target == Target::host(),
    );
    let warnings = blocking(move || {
        if !cached && is_noexec(&path) {
            warn_of_noexec(&path);
        }
        if is_for_host && is_new(&path) {
            // `warn_of_noexec` has warned of this problem.
            let problems = host_problems(&path).unwrap_or_default().into_iter();
            for problem in problems.filter(|problem| *problem != HostProblem::NoExec) {
                tracing::warn!("{} cannot be started: {problem}", path.display());
            }
        }
        Ok::<_, Error>(())
    });
    // Without a warning, the executable is still the right one.
    let _ = warnings.await;
}

/// Warns, once in a process, that executables in the cache cannot be started.
fn warn_of_noexec(path: &Path) {
    static WARNED: Once = Once::new();
    WARNED.call_once(|| {
        tracing::warn!(
            "{} cannot be started: its file system is mounted with `noexec`",
            path.display()
        );
    });
}

/// Returns whether this process has not warned about `path` yet. It warns about a limited number of paths.
fn is_new(path: &Path) -> bool {
    static KNOWN: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    known.len() < MOST_WARNINGS && known.insert(path.to_owned())
}
