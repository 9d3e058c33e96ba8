//! References: the names that users write for content in a registry or in a layout.

mod error;
mod grammar;
mod layout;
mod layout_file;
mod parse;
mod place;
mod split;
#[cfg(test)]
mod tests;
mod types;
mod userinfo;

pub use error::ParseReferenceError;
pub(super) use grammar::{is_layout_name, is_tag, tag_in};
pub(super) use layout::MARKER;
pub use place::Place;
pub use types::{LayoutForm, LayoutReference, Reference, RegistryReference};
#[cfg(feature = "cli")]
pub(crate) use userinfo::without_userinfo;
