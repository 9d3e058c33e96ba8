//! Commands that make things: create, insert, keys and completions.

mod completions;
mod creating;
mod inserting;
mod keys;
mod reproducing;
