//! References: the names that people write for content in a registry or in a layout.

mod error;
mod grammar;
mod parse;
mod place;
#[cfg(test)]
mod tests;
mod types;

pub use error::ParseReferenceError;
pub(super) use grammar::is_tag;
pub use place::Place;
pub use types::{LayoutReference, Reference, RegistryReference};
