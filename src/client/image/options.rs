//! The options of an export.

use std::collections::BTreeMap;
use std::time::SystemTime;

use crate::archive::{RequestedTarget, Target};
use crate::oci::Reference;

use super::super::error::Error;

/// The default path of the executable.
const PATH: &str = "/provider";
/// The longest path of the executable, in bytes: 100 for the name in the header of a tar, and 1 for the first slash.
const LONGEST_PATH: usize = 101;
/// The prefix of the labels that an export writes itself.
pub(in crate::client) const OWN_LABELS: &str = "com.wasmcloud.par.";

/// The options of an export: what a container image contains besides the executables of an archive.
///
/// ```
/// use wasmcloud_par::client::ExportOptions;
///
/// let options = ExportOptions::default()
///     .base("registry.example.com/base/debian:12".parse()?)
///     .path("/usr/local/bin/provider")
///     .label("org.opencontainers.image.source", "https://example.com/provider");
/// # Ok::<(), wasmcloud_par::oci::ParseReferenceError>(())
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ExportOptions {
    /// A base image, whose layers are below the layer of the executable. It needs a manifest for each platform.
    /// Default: none, the image has nothing but the executable.
    pub base: Option<Reference>,
    /// The absolute path of the executable in the image. Default: `/provider`.
    pub path: String,
    /// The targets to export. Default: empty, which means all Linux targets in the archive.
    pub targets: Vec<Target>,
    /// Targets to export besides `targets`, which are chosen when the targets of the archive are known. Default: empty.
    pub(crate) requested: Vec<RequestedTarget>,
    /// Labels of the image. They replace labels of the same name that come from the claims. Default: none.
    pub labels: BTreeMap<String, String>,
    /// The time of creation, in whole seconds. Default: `None`, the time at which the claims were signed.
    pub created: Option<SystemTime>,
    /// Whether the export fails when the tag of the destination names another manifest, instead of moving the tag, or when
    /// the file that an image without a name would replace has another manifest. Default: `false`.
    pub if_absent: bool,
    /// Whether a tag that names a provider archive may be moved to the image. Default: `false`.
    pub change_identity: bool,
}

impl Default for ExportOptions {
    fn default() -> Self {
        Self {
            base: None,
            path: PATH.to_owned(),
            targets: Vec::new(),
            requested: Vec::new(),
            labels: BTreeMap::new(),
            created: None,
            if_absent: false,
            change_identity: false,
        }
    }
}

impl ExportOptions {
    /// Sets the base image.
    #[must_use]
    pub fn base(mut self, base: Reference) -> Self {
        self.base = Some(base);
        self
    }

    /// Sets the path of the executable in the image.
    #[must_use]
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.path = path.into();
        self
    }

    /// Adds a target to export. Without a call, all Linux targets in the archive are exported.
    #[must_use]
    pub fn target(mut self, target: Target) -> Self {
        self.targets.push(target);
        self
    }

    /// Adds a label.
    #[must_use]
    pub fn label(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.labels.insert(key.into(), value.into());
        self
    }

    /// Sets the time of creation.
    #[must_use]
    pub fn created(mut self, created: SystemTime) -> Self {
        self.created = Some(created);
        self
    }

    /// Sets whether the export fails when the tag of the destination, or a file that would be replaced, has another
    /// manifest.
    #[must_use]
    pub fn if_absent(mut self, if_absent: bool) -> Self {
        self.if_absent = if_absent;
        self
    }

    /// Sets whether a tag that names a provider archive may be moved to the image.
    #[must_use]
    pub fn change_identity(mut self, change_identity: bool) -> Self {
        self.change_identity = change_identity;
        self
    }

    /// Checks everything that can be checked without the archive.
    pub(in crate::client) fn check(&self) -> Result<(), Error> {
        let mut labels = self.labels.keys();
        if let Some(label) = labels.find(|label| label.starts_with(OWN_LABELS)) {
            return Err(Error::ReservedLabel(label.clone()));
        }
        let reason = match self.path.strip_prefix('/') {
            None => "it does not begin with a slash",
            Some(_) if self.path.len() > LONGEST_PATH => "it has more than 101 bytes",
            Some(_) if self.path.chars().any(char::is_control) => "it has control characters",
            Some(path) if path.split('/').any(|part| matches!(part, "" | "." | "..")) => {
                "a part of it is empty, `.` or `..`"
            }
            // https://github.com/opencontainers/image-spec/blob/main/layer.md#whiteouts
            Some(path) if path.split('/').any(|part| part.starts_with(".wh.")) => {
                "in an image, a name that begins with `.wh.` removes a file"
            }
            Some(_) => return Ok(()),
        };
        Err(Error::ImagePath {
            path: self.path.escape_debug().to_string(),
            reason,
        })
    }
}
