//! The error of the parser.

use crate::content::ParseDigestError;

use super::grammar::TAG_LIMIT;

/// The longest reference that is parsed, in bytes.
pub(super) const LENGTH_LIMIT: usize = 4096;

/// The error for a text that is not a reference. The message gives the reason, and the form to write instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseReferenceError {
    /// The text is too long.
    #[error("the reference is {length} bytes long, but the limit is {LENGTH_LIMIT}")]
    TooLong {
        /// The length of the text in bytes.
        length: usize,
    },
    /// The text is empty.
    #[error(
        "the reference is empty: write registry/repository:tag, such as ghcr.io/org/provider:1.0"
    )]
    Empty,
    /// The text begins with another scheme than `oci://`, `oci-layout://` or `oci-archive://`.
    #[error("`{reference}` begins with `{scheme}`, which is not a reference: {instead}")]
    Scheme {
        /// The text.
        reference: String,
        /// The scheme with `://`.
        scheme: String,
        /// What to write instead.
        instead: String,
    },
    /// The text has a user or a password in front of its host, as a URL may have.
    #[error("a reference has no user and no password: write `{instead}`")]
    Userinfo {
        /// The text without them.
        instead: String,
    },
    /// The text does not begin with a registry.
    #[error(
        "`{reference}` names no registry: write it in front, such as ghcr.io/{reference}, or \
         docker.io/{reference} for Docker Hub"
    )]
    RegistryMissing {
        /// The text.
        reference: String,
    },
    /// The text is a registry without a repository.
    #[error("`{reference}` names no repository: write registry/repository:tag")]
    RepositoryMissing {
        /// The text.
        reference: String,
    },
    /// The repository has upper-case letters.
    #[error(
        "`{reference}` has upper-case letters in its repository, which no registry allows: write `{lower}`"
    )]
    UppercaseRepository {
        /// The text.
        reference: String,
        /// The reference with a repository in lower case.
        lower: String,
    },
    /// The tag breaks the rules for tags.
    #[error(
        "`{tag}` in `{reference}` is not a tag: up to 128 letters, digits, `_`, `.` and `-`, \
         beginning with a letter, a digit or `_`"
    )]
    Tag {
        /// The text.
        reference: String,
        /// The part of the text that should be a tag.
        tag: String,
    },
    /// The host, the repository or the tag is too long.
    #[error("the {part} in `{reference}` is {length} bytes long, but the limit is {limit}")]
    LongName {
        /// The text.
        reference: String,
        /// `host`, `part of the host`, `repository` or `tag`.
        part: &'static str,
        /// The length of that part in bytes.
        length: usize,
        /// The longest allowed length of that part in bytes.
        limit: usize,
    },
    /// The digest cannot be parsed.
    #[error(
        "the digest in `{reference}` cannot be used: write @sha256: and 64 digits in lower case"
    )]
    Digest {
        /// The text.
        reference: String,
        /// The error of the digest.
        source: ParseDigestError,
    },
    /// The registry or the repository breaks the grammar of references.
    #[error(
        "`{reference}` is malformed: write registry/repository:tag, with letters in lower case, digits, and single `.`, \
         `_`, `-` in between"
    )]
    Malformed {
        /// The text.
        reference: String,
    },
    /// The text names neither a registry nor a repository in a registry.
    #[error(
        "`{text}` is not a registry: write its host, such as ghcr.io or localhost:5000, followed by the \
         repository if you mean one"
    )]
    Registry {
        /// The text.
        text: String,
    },
    /// The text names a layout with `oci:` or `oci-layout:`.
    #[error(
        "`{reference}` is not a reference: write `oci-layout://{rest}` for an image layout in a directory"
    )]
    LayoutSlashes {
        /// The text.
        reference: String,
        /// The text after the colon.
        rest: String,
    },
    /// The text names a file with `oci-archive:`.
    #[error(
        "`{reference}` is not a reference: write `oci-archive://{rest}` for an image layout in a file"
    )]
    FileSlashes {
        /// The text.
        reference: String,
        /// The text after the colon.
        rest: String,
    },
    /// A reference to a layout has no directory.
    #[error("`{reference}` names no directory: write oci-layout://DIR[:TAG][@DIGEST]")]
    DirectoryMissing {
        /// The text.
        reference: String,
    },
    /// The file name in a reference to a tar of a layout has colons or at signs after which a name could begin.
    #[error(
        "it is not clear where the file ends in `{reference}`: write oci-archive://FILE.tar[:NAME][@DIGEST], or give \
         the file another name"
    )]
    FileEnd {
        /// The text.
        reference: String,
    },
    /// A reference to a tar of a layout has no file.
    #[error("`{reference}` names no file: write oci-archive://FILE.tar[:NAME][@DIGEST]")]
    FileMissing {
        /// The text.
        reference: String,
    },
}

impl ParseReferenceError {
    /// Returns the error for a part of `reference` that should be a tag.
    pub(in crate::oci) fn tag(reference: &str, tag: &str) -> Self {
        let reference = reference.to_owned();
        if tag.len() > TAG_LIMIT {
            return Self::LongName {
                reference,
                part: "tag",
                length: tag.len(),
                limit: TAG_LIMIT,
            };
        }
        let tag = tag.to_owned();
        Self::Tag { reference, tag }
    }
}
