//! Hints: what the user can do about an error of the library. Each layer of the library has a file here.
//!
//! A message of the library has no flags and commands. These files add which option or command helps.

mod archive;
mod cache;
mod client;
mod doctor;
mod oci;
mod paths;
mod signing;

pub(crate) use client::missing_credentials;
pub(crate) use doctor::finding_hint;
pub(crate) use oci::missing_credentials_hint;
pub(crate) use paths::{is_reference, layout_hint};

pub(super) use archive::archive_hint;
pub(super) use cache::cache_hint;
pub(super) use client::client_hint;
pub(super) use oci::{oci_hint, reference_hint};
pub(super) use signing::signing_hint;
