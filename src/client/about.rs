//! The reference that the steps of an operation are about.

use std::sync::Arc;

use crate::content::{Meter, Progress, Step};
use crate::oci::Reference;

use super::client::Client;

/// Returns a copy of `client` whose progress names `reference` with each step. A client whose progress already names a
/// reference keeps that name, because it is the one that the caller wrote.
pub(super) fn about(client: &Client, reference: &Reference) -> Client {
    let mut client = client.clone();
    client.progress = Arc::new(About {
        reference: reference.to_string(),
        inner: client.progress,
    });
    client
}

/// A progress that names a reference with each step.
struct About {
    reference: String,
    inner: Arc<dyn Progress>,
}

impl Progress for About {
    fn begin(&self, step: Step, total: u64) -> Box<dyn Meter> {
        self.inner.begin_for(&self.reference, step, total)
    }

    fn begin_for(&self, _reference: &str, step: Step, total: u64) -> Box<dyn Meter> {
        self.begin(step, total)
    }
}
