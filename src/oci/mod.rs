//! Registries and OCI image layouts.
//!
//! This layer finds content by a [`Reference`], transfers it to and from a registry (`Registries`, `Repository`), a
//! directory (`Layout`) or a file (`LayoutFile`), and reads and writes the manifest of a provider archive (`Artifact`).
//! It knows media types and does not read archives.
//!
//! Everything from the network is limited in size and compared with the request before a caller gets it. The exception
//! is the reader of `Fetch::open`, which does not verify.

pub(crate) mod annotation_names;
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
#[cfg(feature = "cli")]
pub(crate) use layout_file::DOCKER_ARCHIVE;
pub(crate) use layout_file::{LayoutFile, LayoutFilePart, LayoutFileWriter};
pub(crate) use manifest::{
    Child, MANIFEST_LIMIT, Role, children, digests_in, names_content, read_json, read_manifest,
};
#[cfg(feature = "cli")]
pub(crate) use reference::without_userinfo;
pub use reference::{
    LayoutForm, LayoutReference, ParseReferenceError, Place, Reference, RegistryReference,
};
pub(crate) use referrers::{Declaration, attached_tags, is_of_digest, referrers_tag};
pub(crate) use registry::{Greeting, OpenUpload, Probe, Registries, Repository, Wants};
pub use registry::{RegistryOptions, RegistrySettings, RetryOptions};
#[cfg(feature = "sigstore")]
pub(crate) use registry::{ServiceCall, Services, service_url};

/// Items for the tests of this project only. They can change with every version.
#[cfg(feature = "internals")]
#[doc(hidden)]
pub mod internals {
    pub use super::registry::{Registries, Repository};
}
