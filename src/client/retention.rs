//! Retention: deleting old tags of a repository.
//!
//! A plan is made from all manifests that have tags. Then the plan is carried out. A manifest about which something is
//! not known stays.

mod age;
mod execution;
mod inventory;
mod plan;

pub(super) use execution::Execution;
pub use execution::PruneOutcome;
pub(super) use inventory::Inventory;
pub use plan::{KeepReason, KeptTag, PrunePlan, PrunedManifest, Retention};
