//! Compatibility with the `provider-archive` crate: one suite over both crates, and the archives of each
//! in the other.

mod crossing;
mod ours;
mod theirs;
