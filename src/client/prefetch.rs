//! Prefetch: many fetches, at most so many at the same time.

use std::num::NonZeroUsize;

use futures_util::{StreamExt, stream};

use crate::archive::Target;
use crate::oci::Reference;

use super::client::Client;
use super::error::Error;
use super::fetched::Fetched;
use super::outcomes::Outcomes;

impl Client {
    /// [Fetches](Self::fetch) the executables for `target` of all `references`, at most `at_once` at the same time
    /// and never more than [`ClientOptions::at_once`](super::ClientOptions::at_once). Each result comes with its
    /// reference as soon as it is there, in any order. A failure does not stop the others.
    ///
    /// Nothing is done before a result is waited for. While results are not waited for, fetches that have begun
    /// stand still, and other fetches may wait for them. Dropping the results stops the fetches that have not
    /// ended. Finished ones stay in the cache.
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
