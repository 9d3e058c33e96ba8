//! Prefetch: many fetches, and a limit on how many run at the same time.

use std::num::NonZeroUsize;

use futures_util::{StreamExt, stream};

use crate::archive::Target;
use crate::oci::Reference;

use super::client::Client;
use super::error::Error;
use super::fetched::Fetched;
use super::outcomes::Outcomes;

impl Client {
    /// [Fetches](Self::fetch) the executables for `target` of all `references`, at most `at_once` at the same time and
    /// never more than [`ClientOptions::at_once`](super::ClientOptions::at_once). Each result comes with its reference,
    /// in the order in which the fetches end. A failure does not stop the others.
    ///
    /// The fetches run only while the caller waits for a result. Between, fetches that have begun make no progress, and
    /// other tasks that fetch the same executables may wait for them. Dropping the results stops the fetches that have
    /// not ended. Executables that were fetched stay in the cache.
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
            let (client, target) = (self.clone(), target.clone());
            async move {
                let fetched = client.fetch(&reference, &target).await;
                (reference, fetched)
            }
        });
        // Collected first: the stream must not borrow from the caller.
        let fetches: Vec<_> = fetches.collect();
        Outcomes::new(stream::iter(fetches).buffer_unordered(at_once.get()))
    }
}
