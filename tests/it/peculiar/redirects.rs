//! Redirects to other registries.
