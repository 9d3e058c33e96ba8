//! Fetch: from a reference to the path of a verified executable.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, Once, PoisonError};

use wascap::jwt::{CapabilityProvider, Token};

use crate::archive::Target;
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
use super::ranged::ExecutableDownload;

impl Client {
    /// Returns the executable for `target` of the provider that `reference` stands for. Of an image index, the
    /// manifest for `target` is used.
    ///
    /// By default the registry is asked each time what a tag stands for, so a tag that was moved is noticed
    /// ([`PullPolicy`](super::PullPolicy)). What has not changed is not downloaded again. Any number of tasks
    /// and processes may fetch at the same time: one of them works, and all others get its result. When the
    /// future that works is dropped, another one continues. While it is kept and not polled, the others wait.
    /// The first fetch from a repository pins its publisher, unless the trust policy says otherwise.
    ///
    /// An archive that was pushed with its claims and its index on the manifest, as [`push`](Self::push)
    /// does for one that carries an index, is not downloaded as a whole. The
    /// claims are verified and trusted before any download. Then the bytes of this one executable are
    /// downloaded, and the executable is returned once it has the hash that the claims sign. Nothing is known
    /// of the rest of the archive then. The issuer of the claims on the manifest is the publisher of the
    /// executable. An archive with other claims inside is refused with [`Error::OtherClaims`] where it is
    /// read.
    ///
    /// Without such claims, those at the start of the archive are used if `reference` is a tag. A reference
    /// with a digest accepts nothing but what that digest binds. In every other case, and when anything is
    /// unexpected, the whole archive is downloaded and verified.
    ///
    /// An executable for this machine that it cannot start is logged as a warning, once for each path. The fetch succeeds
    /// nevertheless. [`host_problems`](super::host_problems) returns the reasons.
    ///
    /// A program with several threads has to be prepared for
    /// [`ExecutableFileBusy`](std::io::ErrorKind::ExecutableFileBusy) (`ETXTBSY`) when it starts what it has just
    /// fetched. A thread that starts another program at that time makes a child process, and until the child is
    /// that program, it has all files open that this process had open, also the one that the executable was
    /// written through. Linux starts no file that is open for writing. Try again after some milliseconds:
    /// `examples/host.rs` in the repository does.
    ///
    /// # Errors
    ///
    /// [`Error`] of the registry, the cache, the archive or the trust policy.
    #[tracing::instrument(skip_all, fields(%reference, %target, digest))]
    pub async fn fetch(&self, reference: &Reference, target: &Target) -> Result<Fetched, Error> {
        let client = about(self, reference);
        let reference = &self.locked(reference)?;
        let key = (reference.to_string(), target.clone(), self.pull);
        let fetching = self.fetches.join(&key);
        let work = async {
            // Boxed: the type of the future would otherwise exceed limits of the compiler in programs that use it.
            let fetched = Box::pin(fetch_alone(&client, reference, target)).await;
            if let Ok(Fetched {
                cached: false,
                path,
                ..
            }) = &fetched
            {
                warn_of_noexec(path);
            }
            if let Ok(Fetched { path, .. }) = &fetched
                && *target == Target::host()
            {
                warn_of_problems(path).await;
            }
            // Later calls ask again, because a tag may move.
            self.fetches.leave(&key, &fetching);
            fetched.map_err(Arc::new)
        };
        let fetched = fetching.get_or_init(|| work).await.clone();
        drop(fetching);
        // A task that was alone gets the error itself.
        fetched.map_err(|error| match Arc::try_unwrap(error) {
            Ok(error) => error,
            Err(shared) => Error::Shared(shared),
        })
    }

    /// Returns the executable for this machine of the provider that `oci_ref` stands for, and its signed token.
    ///
    /// The signature is that of `OciFetcher::fetch_provider` in `wasmcloud-core` 0.21, so a host migrates by
    /// building a `Client` in place of an `OciFetcher`. The options of that fetcher are in
    /// [`ClientOptions`](super::ClientOptions). There are three differences. The executable is verified, there
    /// is always a token, and hosts share the cached executables, to which no host writes, so `host_id` makes no
    /// difference.
    ///
    /// The tag `latest` is fetched like any other, unless the
    /// [settings](crate::oci::RegistrySettings::allow_latest) of its registry refuse it. A reference without a tag
    /// stands for `latest` where the settings allow that. Elsewhere it is [`Error::Unnamed`].
    ///
    /// # Errors
    ///
    /// As [`fetch`](Self::fetch); [`Error::Reference`].
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
}

/// Fetches without sharing the work with other tasks.
pub(super) async fn fetch_alone(
    client: &Client,
    reference: &Reference,
    target: &Target,
) -> Result<Fetched, Error> {
    let lookup = Lookup::start(client, reference, target).await?;
    let missing = lookup.missing().await?;
    // An archive in the cache says more about itself than anything else does.
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

/// Fetches without the archive: from the cache, by the signed hash, or by downloading the bytes of this one
/// executable. `None` when the whole archive has to be read.
async fn fetch_by_range(lookup: &Lookup, target: &Target) -> Result<Option<Fetched>, Error> {
    let Some(preview) = lookup.preview().await? else {
        return Ok(None);
    };
    let admission = lookup.admission();
    admission.check(&preview.claims).await?;
    lookup.check_identity().await?;
    let hash = preview.claims.executable(target);
    let hash = hash.map_err(Error::unusable(lookup.reference()))?;
    // A file that is named by a signed hash has that hash.
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
    target: &Target,
) -> Result<Fetched, Error> {
    let claims = lookup.claims(&archive).await?;
    let hash = claims.executable(target);
    let hash = hash.map_err(Error::unusable(lookup.reference()))?;
    let (executable, _lock) = lookup.executable_or_slot(&claims, target, hash).await?;
    let (path, cached) = match executable {
        Executable::Ready(path) => (path, true),
        Executable::Missing(slot) => {
            let path = slot.destination().to_owned();
            lookup
                .extract(archive, target, path, Cache::EXECUTABLE_MODE)
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

/// Says once for a process that executables in the cache cannot be started.
fn warn_of_noexec(path: &Path) {
    static WARNED: Once = Once::new();
    if is_noexec(path) {
        WARNED.call_once(|| {
            tracing::warn!(
                "{} cannot be started: its file system is mounted with `noexec`",
                path.display()
            );
        });
    }
}

/// Says once for each path in a process why this machine cannot start the executable.
async fn warn_of_problems(path: &Path) {
    static KNOWN: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());
    let is_new = KNOWN
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .insert(path.to_owned());
    if !is_new {
        return;
    }
    let executable = path.to_owned();
    let found = blocking(move || host_problems(&executable)).await;
    for problem in found.unwrap_or_default() {
        // That is said by `warn_of_noexec`.
        if problem != HostProblem::NoExec {
            tracing::warn!("{} cannot be started: {problem}", path.display());
        }
    }
}
