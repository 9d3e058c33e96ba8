//! The compatible face: one suite over both crates, and each crate's archives in the other.

mod crossing;
mod ours;
mod theirs;
