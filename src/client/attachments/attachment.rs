//! Content to attach to a manifest.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use bytes::Bytes;

use crate::content::{rfc3339, unix_seconds};
use crate::oci::annotation_names::CREATED;

use super::super::error::Error;

/// The media type of content whose type is not known.
const UNKNOWN: &str = "application/octet-stream";
/// How long each of the two names of a media type may be, in bytes (RFC 6838, section 4.2).
const LONGEST_NAME: usize = 127;

/// Content to [attach](super::super::Client::attach) to a manifest, such as a bill of materials.
///
/// ```
/// use wasmcloud_par::client::Attachment;
///
/// let bill = Attachment::file("provider.cdx.json", "application/vnd.cyclonedx+json")
///     .annotation("org.example.scanner", "none");
/// let note = Attachment::bytes("reviewed", "application/vnd.example.review").media_type("text/plain");
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Attachment {
    pub(in crate::client) content: AttachedContent,
    /// The type of the artifact, such as `application/vnd.cyclonedx+json`: a media type by RFC 6838.
    pub artifact_type: String,
    /// The media type of the content. Default: the type of the artifact if it names a format, such as a type that ends with
    /// `+json`; else the media type for the extension of the title; else `application/octet-stream`.
    pub media_type: Option<String>,
    /// The name of the file that other tools write the content to. Default: the name of the file, or none for bytes.
    pub title: Option<String>,
    /// Annotations for the manifest of the attachment. Default: only the time.
    pub annotations: BTreeMap<String, String>,
    /// The time for the annotation `org.opencontainers.image.created`, in whole seconds. Default: the time of the call.
    pub created: Option<SystemTime>,
    /// Whether the manifest embeds the content, if the content is small.
    pub(in crate::client) embedded: bool,
}

/// The largest content that a manifest embeds, in bytes. Registries accept manifests of 4 MiB. But a client that searches a
/// bundle also reads the manifests of other bundles, so manifests should stay small.
const EMBEDDED_LIMIT: usize = 64 << 10;

/// The content of an attachment.
#[derive(Debug, Clone)]
pub(in crate::client) enum AttachedContent {
    File(PathBuf),
    Bytes(Bytes),
}

impl Attachment {
    /// Returns an attachment with the content of a file.
    pub fn file(path: impl Into<PathBuf>, artifact_type: impl Into<String>) -> Self {
        let path = path.into();
        let title = path.file_name();
        let title = title.map(|name| name.to_string_lossy().into_owned());
        Self {
            title,
            ..Self::new(AttachedContent::File(path), artifact_type)
        }
    }

    /// Returns an attachment with these bytes.
    pub fn bytes(content: impl Into<Bytes>, artifact_type: impl Into<String>) -> Self {
        Self::new(AttachedContent::Bytes(content.into()), artifact_type)
    }

    fn new(content: AttachedContent, artifact_type: impl Into<String>) -> Self {
        Self {
            content,
            artifact_type: artifact_type.into(),
            media_type: None,
            title: None,
            annotations: BTreeMap::new(),
            created: None,
            embedded: false,
        }
    }

    /// Sets the media type of the content.
    #[must_use]
    pub fn media_type(mut self, media_type: impl Into<String>) -> Self {
        self.media_type = Some(media_type.into());
        self
    }

    /// Sets the name of the file that other tools write the content to.
    #[must_use]
    pub fn title(mut self, title: impl Into<Option<String>>) -> Self {
        self.title = title.into();
        self
    }

    /// Embeds content of at most 64 KiB in the manifest, so that clients need no request for its blob. This is only for
    /// bytes, not for files.
    pub(in crate::client) fn embedded(self) -> Self {
        Self {
            embedded: true,
            ..self
        }
    }

    /// Returns the content that the manifest embeds, if it does.
    pub(in crate::client) fn embedded_content(&self) -> Option<&[u8]> {
        match &self.content {
            AttachedContent::Bytes(bytes) if self.embedded && bytes.len() <= EMBEDDED_LIMIT => {
                Some(bytes)
            }
            _ => None,
        }
    }

    /// Adds an annotation for the manifest of the attachment.
    #[must_use]
    pub fn annotation(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.annotations.insert(key.into(), value.into());
        self
    }

    /// Sets the time for the annotation `org.opencontainers.image.created`. If `annotations` has this key, the time is
    /// ignored.
    #[must_use]
    pub fn created(mut self, created: SystemTime) -> Self {
        self.created = Some(created);
        self
    }

    /// Returns an error if a type is not a media type. Registries and tools refuse such types, too.
    pub(in crate::client) fn check(&self) -> Result<(), Error> {
        let types = [Some(&self.artifact_type), self.media_type.as_ref()];
        let wrong = types
            .into_iter()
            .flatten()
            .find(|name| !is_media_type(name));
        wrong.map_or(Ok(()), |name| Err(Error::MediaType(name.clone())))
    }

    /// Returns the media type of the content.
    pub(in crate::client) fn content_type(&self) -> &str {
        if let Some(given) = &self.media_type {
            return given;
        }
        if names_format(&self.artifact_type) {
            return &self.artifact_type;
        }
        let title = self.title.as_deref().map(Path::new);
        let extension = title
            .and_then(Path::extension)
            .and_then(|name| name.to_str());
        extension.and_then(of_extension).unwrap_or(UNKNOWN)
    }

    /// Returns the annotations of the manifest. `now` is the time of an attachment without one.
    pub(in crate::client) fn manifest_annotations(
        &self,
        now: SystemTime,
    ) -> BTreeMap<String, String> {
        let created = rfc3339(unix_seconds(self.created.unwrap_or(now)));
        let mut annotations = self.annotations.clone();
        annotations.entry(CREATED.to_owned()).or_insert(created);
        annotations
    }
}

/// Returns whether a text is a media type, without parameters (RFC 6838, section 4.2).
fn is_media_type(text: &str) -> bool {
    let is_name = |name: &str| {
        let mut characters = name.chars();
        let begins = characters
            .next()
            .is_some_and(|first| first.is_ascii_alphanumeric());
        begins
            && name.len() <= LONGEST_NAME
            && characters.all(|next| next.is_ascii_alphanumeric() || "!#$&-^_.+".contains(next))
    };
    text.split_once('/')
        .is_some_and(|(kind, name)| is_name(kind) && is_name(name))
}

/// Returns whether the type of an artifact names the format of its content, such as JSON.
fn names_format(artifact_type: &str) -> bool {
    const SUFFIXES: [&str; 8] = [
        "+json", "+xml", "+yaml", "+cbor", "+zip", "+gzip", "+zstd", "+tar",
    ];
    let suffixes = SUFFIXES.iter();
    artifact_type.starts_with("text/")
        || artifact_type == "application/json"
        || suffixes
            .into_iter()
            .any(|suffix| artifact_type.ends_with(suffix))
}

/// Returns the media type of files with this extension.
fn of_extension(extension: &str) -> Option<&'static str> {
    Some(match extension.to_ascii_lowercase().as_str() {
        "json" | "jsonl" | "sarif" => "application/json",
        "xml" => "application/xml",
        "yaml" | "yml" => "application/yaml",
        "txt" | "log" | "pem" | "asc" | "spdx" => "text/plain",
        "md" => "text/markdown",
        "html" | "htm" => "text/html",
        "csv" => "text/csv",
        "pdf" => "application/pdf",
        "tar" => "application/x-tar",
        "gz" | "tgz" => "application/gzip",
        "zst" => "application/zstd",
        "zip" => "application/zip",
        "wasm" => "application/wasm",
        _ => return None,
    })
}

#[cfg(test)]
#[path = "tests/attachment.rs"]
mod tests;
