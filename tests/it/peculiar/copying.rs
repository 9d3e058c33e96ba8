//! Copies of what has unusual parts.
