//! Asking a registry whether it accepts uploads, before the work for an upload begins.

use futures_util::future::join;

use crate::oci::{OpenUpload, Reference};

use super::super::client::Client;
use super::super::error::Error;

/// The upload that a registry has opened, which shows that it accepts uploads. `None` for an image layout.
pub(in crate::client) struct UploadAccess(Option<OpenUpload>);

impl UploadAccess {
    /// Asks the registry of `reference`. Nothing is asked about an image layout.
    ///
    /// The error is that of a registry that does not accept uploads from this client.
    pub(in crate::client) async fn ask(
        client: &Client,
        reference: &Reference,
    ) -> Result<Self, Error> {
        match reference {
            Reference::Registry(place) => {
                let repository = client.registries.repository(place);
                Ok(Self(Some(repository.open_upload().await?)))
            }
            Reference::Layout(_) => Ok(Self::none()),
        }
    }

    /// Returns the access for work that uploads nothing.
    pub(in crate::client) fn none() -> Self {
        Self(None)
    }

    /// Cancels the upload while `work` runs.
    pub(in crate::client) async fn cancel_during<T>(self, work: impl Future<Output = T>) -> T {
        let cancel = async {
            if let Some(upload) = self.0 {
                upload.cancel().await;
            }
        };
        join(cancel, work).await.1
    }
}
