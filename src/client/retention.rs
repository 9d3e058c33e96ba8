//! Retention: deleting old tags of a repository.
//!
//! First, a plan is made from all manifests that have tags. Then the plan is executed. If the age of a manifest is unknown
//! and needed, the manifest stays.

mod age;
mod execution;
mod inventory;
mod plan;

pub(super) use execution::Execution;
pub use execution::PruneOutcome;
pub(super) use inventory::Inventory;
pub use plan::{KeepReason, KeptTag, PrunePlan, PrunedManifest, Retention};
