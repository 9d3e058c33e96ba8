//! Verifying an archive while it is sent.

use std::future::Future;
use std::io;
use std::path::PathBuf;
use std::pin::pin;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::future::{Either, select};
use futures_util::stream;
use tokio::io::AsyncReadExt;
use tokio::sync::watch;
use tokio_util::io::StreamReader;

use crate::content::{Reader, Source, StoreError};

use super::error::Error;

/// Whether an archive has passed verification, for those who may not go on before.
#[derive(Debug, Clone)]
pub(super) struct Verdict(watch::Receiver<bool>);

impl Verdict {
    /// Of an archive that was verified before.
    pub(super) fn passed() -> Self {
        Self(watch::channel(true).1)
    }

    /// Returns as soon as the archive has passed. When it has not, whoever waits is not waited for.
    pub(super) async fn wait(mut self) -> Result<(), Error> {
        match self.0.wait_for(|passed| *passed).await {
            Ok(_) => Ok(()),
            Err(_) => Err(Error::Abandoned),
        }
    }
}

/// Verifies an archive and sends it at the same time. When it does not pass, sending ends where it is,
/// and what is wrong with the archive is the error, whatever became of sending.
pub(super) async fn while_verifying<T, U, F>(
    verifying: impl Future<Output = Result<T, Error>>,
    send: impl FnOnce(Verdict) -> F,
) -> Result<(T, U), Error>
where
    F: Future<Output = Result<U, Error>>,
{
    let (passed, verdict) = watch::channel(false);
    let verifying = pin!(async {
        let outcome = verifying.await?;
        passed.send_replace(true);
        Ok::<_, Error>(outcome)
    });
    let sending = pin!(send(Verdict(verdict)));
    match select(verifying, sending).await {
        Either::Left((verified, sending)) => Ok((verified?, sending.await?)),
        Either::Right((sent, verifying)) => Ok((verifying.await?, sent?)),
    }
}

/// An archive in a file, whose end is held back until it has passed. A store gives the name of its digest to
/// content that has ended, so that one which does not pass is nowhere complete.
pub(super) struct HeldBack {
    pub(super) path: PathBuf,
    pub(super) verdict: Verdict,
}

#[async_trait]
impl Source for HeldBack {
    async fn open(&self, offset: u64) -> Result<Reader, StoreError> {
        let content = self.path.open(offset).await?;
        let verdict = self.verdict.clone();
        let end = stream::once(async {
            let passed = verdict.wait().await;
            passed.map(|()| Bytes::new()).map_err(io::Error::other)
        });
        Ok(Box::new(content.chain(StreamReader::new(Box::pin(end)))))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::future::{pending, ready};

    use super::*;

    fn abandoned<T>() -> Result<T, Error> {
        Err(Error::Abandoned)
    }

    fn unnamed<T>() -> Result<T, Error> {
        Err(Error::Unnamed(String::new()))
    }

    #[tokio::test]
    async fn an_archive_that_does_not_pass_is_the_error_whatever_became_of_sending() {
        let never = while_verifying(ready(unnamed::<()>()), |_| pending::<Result<(), _>>()).await;
        assert!(matches!(never, Err(Error::Unnamed(_))));
        let later = async {
            tokio::task::yield_now().await;
            unnamed::<()>()
        };
        let failed = while_verifying(later, |_| ready(abandoned::<()>())).await;
        assert!(matches!(failed, Err(Error::Unnamed(_))));
        let failed = while_verifying(ready(Ok(())), |_| ready(abandoned::<()>())).await;
        assert!(matches!(failed, Err(Error::Abandoned)));
    }

    #[tokio::test]
    async fn the_end_comes_with_the_verdict() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        fs::write(&path, "content").unwrap();
        for passes in [true, false] {
            let (passed, verdict) = watch::channel(false);
            let verdict = Verdict(verdict);
            let path = path.clone();
            let mut reader = HeldBack { path, verdict }.open(3).await.unwrap();
            let mut bytes = [0; 4];
            reader.read_exact(&mut bytes).await.unwrap();
            assert_eq!(&bytes, b"tent");
            let mut rest = Vec::new();
            let end = pin!(reader.read_to_end(&mut rest));
            let Either::Right((_, end)) = select(end, pin!(tokio::task::yield_now())).await else {
                panic!("it ended before the verdict");
            };
            match passes {
                true => drop(passed.send_replace(true)),
                false => drop(passed),
            }
            assert_eq!(end.await.is_ok(), passes);
        }
    }
}
