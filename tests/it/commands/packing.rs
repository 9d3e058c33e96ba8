//! Commands that make things: create, insert, remove, sign, keys and completions.

mod completions;
mod creating;
mod inserting;
mod keys;
mod removing;
mod reproducing;
mod signing;
