//! The cache: content by digest, verified executables, and the manifests that tags named.
//!
//! ```text
//! $XDG_CACHE_HOME/wasmcloud-par/v1/        only its owner may enter it or replace it
//!   blobs/sha256/<hex>                     manifests and layers, read-only
//!   executables/sha256/<hex>               verified executables, mode 0555, named by their signed hash
//!   references/<registry>/<repository>/_tags/<tag>   the manifest that a tag named, and when the
//!                                          registry confirmed that
//!   references/<registry>/<repository>/_lock         locked while such a record changes
//!   heads/<registry>/<repository>/_tags/<tag>        the first bytes of a tag's archive, kept when its
//!                                          manifest does not describe the archive
//!   places/sha256/<hex>                    repositories in which content was seen, one in a line
//!   programs/sha256/<hex>/<name>           another name (a hard link) of the executable with this signed hash, which
//!                                          its process is called by
//!   providers/sha256/<hex>                 what is known of the provider in the manifest of this digest: its
//!                                          claims, layers and executables
//!   bundles/sha256/<hex>.<hash>            the Sigstore bundle of the manifest of this digest that a policy has
//!                                          accepted, verified again each time
//!   away/<registry>                        when this registry did not answer, for some seconds
//!   listed-by-clients/<registry>           this registry had no referrers API: a list of referrers is looked for
//!                                          under its tag first
//!   partial/sha256/<hex>                   unfinished downloads of blobs, and of ranges of blobs, which
//!                                          the next download continues
//!   partial/sha256/<hex>.<hash>.upload     the address of an unfinished upload to one repository, locked and
//!                                          written while a task sends the content
//!   partial/sha256/<hex>.lock              locked while a task makes or checks the content of this digest
//!
//! $XDG_STATE_HOME/wasmcloud-par/v1/        only its owner may enter it or replace it
//!   identities/<registry>/<repository>/_identity     the publisher that a repository is pinned to
//!   lock                                   locked while a pin changes
//! ```
//!
//! On Windows, where names cannot have colons, the directory of the registry `localhost:5000` is `localhost_5000_`.
//!
//! The state (`state.rs`) has data that cannot be received again. It is not pruned. All caches of a user share one
//! state.
//!
//! A file under its final name is complete and verified. Such a file is never overwritten in place. Tasks and processes
//! use locks, so that one download and one extraction serve all tasks that wait.
//!
//! - **Checks.** Each use checks the seal of a file (`seal.rs`), which only reads its metadata. [`Cache::verify`] reads
//!   the whole content. A damaged file is removed and received again, and is never used. So is whatever else is at the
//!   path of a file (`files.rs`).
//! - **Waiting.** A task that waits for another task takes no thread of the runtime (`lock.rs`).
//! - **Pruning.** The access time of a file records its last use. [`Cache::prune`] removes the least recently used
//!   files. It keeps files on which a task has a shared lock. By default, it also keeps files that were used within the
//!   last hour, because the caller of a fetch uses the path of the executable after the call.

mod blobs;
#[cfg(feature = "sigstore")]
mod bundles;
mod dependencies;
mod entries;
mod error;
mod executables;
mod files;
mod hints;
mod import;
mod inventory;
mod last_use;
mod lease;
#[cfg(feature = "sigstore")]
mod listed_by_clients;
mod listing;
mod lock;
mod lookup;
mod make_way;
mod no_answer;
mod open;
mod open_state;
mod paths;
mod pin;
mod pins;
#[cfg(unix)]
mod private;
mod programs;
mod providers;
mod prune;
mod prune_options;
mod ranges;
mod references;
mod seal;
mod startable;
mod state;
mod uploads;
mod verify;
mod waiting;
mod which;

pub use error::Error;
pub(crate) use executables::{Executable, Slot};
pub use lease::Lease;
pub use listing::{Listed, Listing, Usage};
pub(crate) use lookup::Held;
pub use open::Cache;
pub use pin::{FormerIssuer, Pin};
pub(crate) use programs::program_name;
pub(crate) use providers::{ClaimsIn, Provider};
pub use prune::Pruned;
pub use prune_options::PruneOptions;
pub(crate) use ranges::PartialRange;
pub(crate) use references::Record;
pub use startable::Startable;
pub use state::State;
pub use verify::Verified;
pub use which::CachedExecutable;
