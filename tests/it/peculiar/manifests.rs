//! Manifests, and the requests for them.
