//! The labels and the annotations of a container image.

use std::collections::BTreeMap;

use crate::archive::VerifiedClaims;
use crate::content::{Digest, rfc3339};
use crate::oci::annotation_names::{self, CREATED};

use super::super::annotations::described;
use super::options::ExportOptions;

const ISSUER: &str = "com.wasmcloud.par.issuer";
const SUBJECT: &str = "com.wasmcloud.par.subject";
const REVISION: &str = "com.wasmcloud.par.revision";
/// The archive that an image was made from: the digest of its manifest, or of its bytes.
const ARCHIVE: &str = "com.wasmcloud.par.archive";

/// The annotations of an archive that describe the image too (OCI image specification, "Pre-Defined Annotation Keys").
/// The title, the vendor and the version are not in this list: they come from the claims, which are signed.
const KEPT: [&str; 7] = [
    "org.opencontainers.image.authors",
    "org.opencontainers.image.description",
    "org.opencontainers.image.documentation",
    "org.opencontainers.image.licenses",
    annotation_names::REVISION,
    annotation_names::SOURCE,
    "org.opencontainers.image.url",
];

/// Returns the labels of an image. They come from the options, from the verified claims, and from `archive`, the
/// annotations of the archive's manifest. `created` is in seconds since 1970.
pub(super) fn labels(
    options: &ExportOptions,
    claims: &VerifiedClaims,
    archive: &BTreeMap<String, String>,
    created: u64,
) -> BTreeMap<String, String> {
    let kept = KEPT.into_iter();
    let kept = kept.filter_map(|name| Some((name.to_owned(), archive.get(name)?.clone())));
    let mut labels: BTreeMap<String, String> = kept.collect();
    labels.extend(described(claims).map(|(name, value)| (name.to_owned(), value)));
    labels.insert(CREATED.to_owned(), rfc3339(created));
    labels.extend(options.labels.clone());
    labels.insert(ISSUER.to_owned(), claims.issuer().to_string());
    labels.insert(SUBJECT.to_owned(), claims.subject().to_string());
    if let Some(revision) = claims.revision() {
        labels.insert(REVISION.to_owned(), revision.to_string());
    }
    labels
}

/// Returns the annotations of the manifests of an image with `labels`, which was made from `archive`.
pub(super) fn annotations(
    labels: &BTreeMap<String, String>,
    archive: &Digest,
) -> BTreeMap<String, String> {
    let mut annotations = labels.clone();
    annotations.insert(ARCHIVE.to_owned(), archive.to_string());
    annotations
}
