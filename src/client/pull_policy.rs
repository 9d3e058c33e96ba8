//! When a registry is asked what a tag stands for.

use std::time::Duration;

/// When a registry is asked what a tag stands for.
///
/// A digest stands for one manifest for ever: no registry is asked when the cache holds it. Content is never
/// downloaded twice, whatever the policy.
///
/// The names are those of Docker and Podman. `Always` fails without the registry, as `docker run
/// --pull=always`, `podman run --pull=always` and the kubelet's `Always` do. `Newer` continues with the
/// cached manifest, as `podman run --pull=newer` does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum PullPolicy {
    /// The registry is asked each time. It is an error when it does not answer.
    Always,
    /// The registry is asked each time. When it is unavailable, and does not merely refuse, a tag stands
    /// for the manifest that was last confirmed, with a warning.
    #[default]
    Newer,
    /// The registry is asked only for tags that the cache does not know.
    Missing {
        /// For how long a recorded answer counts. After that, the policy is [`Newer`](Self::Newer).
        /// `None`: for ever.
        max_age: Option<Duration>,
    },
    /// No registry is asked. What the cache does not hold is [`Error::NotCached`](super::Error::NotCached).
    Never,
}
