//! Retention: which tags of a repository go, and which stay.
//!
//! A plan is made of everything that the repository has; then the plan is carried out. Nothing is deleted because of
//! what is not known.

mod age;
mod execution;
mod inventory;
mod plan;

pub(super) use execution::Execution;
pub use execution::PruneOutcome;
pub(super) use inventory::Inventory;
pub use plan::{KeepReason, KeptTag, PrunePlan, PrunedManifest, Retention};
