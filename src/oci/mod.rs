//! Registries and OCI image layouts.
//!
//! This layer finds content by a [`Reference`], moves it to and from a registry (`Registries`,
//! `Repository`), a directory (`Layout`) or a file (`LayoutFile`), and knows the manifest of a provider archive
//! (`Artifact`). It knows media types and does not look into archives.
//!
//! Everything that comes from the network is limited in size and checked against what was asked for
//! before a caller sees it. The exception is `Fetch::open`, whose reader does not verify.

mod artifact;
mod blob;
mod credentials;
mod error;
mod hosts;
mod image;
mod index_text;
mod layout;
mod layout_file;
mod manifest;
pub(crate) mod media_type;
mod names;
mod one_line;
mod proxy_url;
mod reference;
mod referrers;
#[cfg_attr(not(feature = "internals"), allow(unreachable_pub))]
mod registry;

pub(crate) use artifact::{
    Artifact, AttachmentManifest, DescribedEntry, DescribedLayer, DescribedManifest,
    choose_from_index,
};
pub(crate) use blob::copy_blob;
pub use credentials::{
    CredentialProvider, CredentialRequest, CredentialSource, Credentials, ProvidedCredentials,
};
pub use error::{
    Answer, ClientCertificateProblem, CredentialHelperError, Error, ProxyError, TlsProblem,
    UploadProblem, UrlPart,
};
pub use hosts::ClientCertificate;
pub(crate) use image::{BaseImage, Image, ImageConfig, ImageLayer, ImagePlatform, image_index};
pub(crate) use layout::{Layout, ReadLayout};
pub(crate) use layout_file::{LayoutFile, LayoutFileWriter};
pub(crate) use manifest::{
    Child, MANIFEST_LIMIT, Role, children, digests_in, names_content, read_json, read_manifest,
};
pub use reference::{
    LayoutForm, LayoutReference, ParseReferenceError, Place, Reference, RegistryReference,
};
pub(crate) use referrers::{Declaration, attached_tags, is_of_digest, referrers_tag};
pub(crate) use registry::{Greeting, OpenUpload, Probe, Registries, Repository, Wants};
pub use registry::{RegistryOptions, RegistrySettings, RetryOptions};
#[cfg(feature = "sigstore")]
pub(crate) use registry::{ServiceCall, Services};

/// What only the tests of this project use. It can change with every version.
#[cfg(feature = "internals")]
#[doc(hidden)]
pub mod internals {
    pub use super::registry::{Registries, Repository};
}
