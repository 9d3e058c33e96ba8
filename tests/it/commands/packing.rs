//! Tests of create, insert, remove, sign, diff, keys and completions.

mod completions;
mod creating;
mod destinations;
mod diffing;
mod identity;
mod inserting;
mod keys;
mod labelling;
mod removing;
mod reproducing;
mod schemas;
mod signing;
mod targets;
