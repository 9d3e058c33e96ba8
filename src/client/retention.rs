//! Retention: deleting old tags of a repository.
//!
//! First, a plan is made from all manifests that have tags. Then the plan is executed. If the age of a manifest is unknown
//! and needed, the manifest stays.
//!
//! Other clients may move tags at any time, and the protocol has no conditional deletion. Before each deletion, the tags of
//! the deleted manifests are checked. All tags are read at the start of the execution and a few times during it, so that the
//! number of requests grows with the number of tags and not with its square. A tag that another client gives to a manifest
//! of the plan after the last reading is deleted with the manifest.

mod age;
mod current;
mod execution;
mod inventory;
mod manifests;
mod plan;

pub(super) use execution::Execution;
pub use execution::PruneOutcome;
pub(super) use inventory::Inventory;
pub use plan::{KeepReason, KeptTag, PrunePlan, PrunedManifest, Retention};
