//! Tests of create, insert, remove, sign, diff, keys and completions.

mod completions;
mod creating;
mod diffing;
mod identity;
mod inserting;
mod keys;
mod labelling;
mod removing;
mod reproducing;
mod schemas;
mod signing;
