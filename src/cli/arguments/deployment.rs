//! Reading the references of a deployment from a list or from a wadm manifest.
//!
//! A manifest is what [wadm] deploys: YAML documents of the kind `Application`, whose `spec.components` are
//! WebAssembly components (`type: component`) and providers (`type: capability`), each with an image in its
//! `properties`. The file may also contain documents of other kinds, for Kubernetes for example.
//!
//! [wadm]: https://github.com/wasmCloud/wadm

use std::io;
use std::ops::Range;
use std::path::PathBuf;

use anyhow::{Context, Result, anyhow, bail};
use serde::Deserialize;
use serde_saphyr::{Span, Spanned, alias_limits, options};

use crate::archive;
use crate::cli::files;
use crate::cli::output::{Failure, is_reference, path_text};
use crate::cli::session::Session;
use crate::cli::threads::detached;
use crate::content::ErrorKind;
use crate::oci::{ParseReferenceError, Reference};

use super::registry::RegistryArgs;

/// The kind of a YAML document that is an application.
const KIND: &str = "Application";
/// The start of an image that is a file on this machine.
pub(super) const FILE: &str = "file://";
/// The hint for a file that is not a deployment.
const EXPECTED: &str = "give a list of references, one in a line, or a wadm manifest";

/// How many YAML events the aliases of a manifest may expand to.
const EXPANSION_LIMIT: usize = 10_000;

/// A reference as it is written in a deployment.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Image {
    /// The line, counted from 1.
    pub(super) number: u64,
    pub(super) written: String,
    /// The range of bytes in the file that has the reference, with its quotes. `None`: the parser does not know the
    /// range.
    pub(super) place: Option<Range<usize>>,
}

/// The providers of a deployment, in a list or in a wadm manifest.
pub(crate) struct Deployment {
    /// The name of the file in messages.
    pub(super) name: String,
    pub(super) content: String,
    /// Whether the file is a list, and not a manifest.
    pub(super) is_list: bool,
    pub(super) images: Vec<Image>,
    /// The images of the components in a manifest.
    pub(super) components: Vec<Image>,
}

impl Deployment {
    /// Reads a file; `-` is standard input. Returns an error if the file is neither a list of references nor a wadm
    /// manifest, or if it is a list without an entry.
    pub(crate) async fn read(path: PathBuf) -> Result<Self> {
        let name = path_text(&path);
        let is_reference = is_reference(&path);
        let read = Self::read_unless_lock(path).await.map_err(|error| {
            if !is_reference || !is_missing(&error) {
                return error;
            }
            let message = format!("{name} is a reference, not a file with references");
            let hint =
                "write it into a file, one reference in a line; `par lock -` reads standard input";
            error.context(Failure::new(ErrorKind::NotFound, message).hint(hint))
        });
        match read? {
            Some(deployment) => Ok(deployment),
            None => {
                let message = format!("{name} is a lock file, and a deployment is expected");
                bail!(Failure::usage(message).hint(EXPECTED))
            }
        }
    }

    /// Reads a file as [`read`](Self::read) does. Returns `None` for a lock file.
    pub(crate) async fn read_unless_lock(path: PathBuf) -> Result<Option<Self>> {
        let name = if files::is_standard_input(&path) {
            "standard input".to_owned()
        } else {
            path_text(&path)
        };
        let title = name.clone();
        let content = detached(move || files::read_small(&path, &title)).await?;
        let content = match String::from_utf8(content) {
            Ok(content) if !content.contains('\0') => content,
            _ => bail!(Failure::usage(format!("{name} is not text")).hint(EXPECTED)),
        };
        let first = listed(without_mark(&content)).next();
        let Some(first) = first else {
            bail!(Failure::usage(format!("{name} has no reference")).hint(EXPECTED));
        };
        if first.written.starts_with("version =") {
            return Ok(None);
        }
        let is_list = !is_yaml(&first.written);
        let Images { images, components } = images_of_all(&content, &name)?;
        Ok(Some(Self {
            name,
            content,
            is_list,
            images,
            components,
        }))
    }

    /// Returns the references of the providers, each as it is written, and parsed or with its error. A reference with
    /// the tag `latest` is refused, as on the command line. Local files are left out with a warning.
    pub(crate) fn references(
        &self,
        registry: &RegistryArgs,
        session: &Session,
    ) -> Vec<(String, Result<Reference>)> {
        let name = &self.name;
        let mut references = Vec::new();
        let mut malformed = 0;
        for Image {
            number, written, ..
        } in &self.images
        {
            let place = || format!("{name}, line {number}");
            if written.starts_with(FILE) {
                let place = place();
                session.warn(&format!(
                    "{place}: {written} is left out: only artifacts in a registry can be locked"
                ));
                continue;
            }
            let reference = match written.parse() {
                Ok(reference) => registry.settle(reference, false),
                Err(error) => {
                    malformed += 1;
                    Err(ParseReferenceError::into(error))
                }
            };
            references.push((written.clone(), reference.with_context(place)));
        }
        // If no line is a reference, one message about the file is more helpful than one about each line.
        if self.is_list && malformed > 0 && malformed == self.images.len() {
            references.truncate(1);
            for (written, reference) in &mut references {
                written.clone_from(name);
                let message = format!("{name} is neither a list of references nor a wadm manifest");
                let failure = Failure::usage(message).hint(EXPECTED);
                let found = std::mem::replace(reference, Err(anyhow!("not a reference")));
                *reference = found.context(failure);
            }
        }
        references
    }
}

/// Whether a file cannot be read because it does not exist.
fn is_missing(error: &anyhow::Error) -> bool {
    let error = error.downcast_ref::<archive::Error>();
    matches!(
        error,
        Some(archive::Error::Read { source, .. }) if source.kind() == io::ErrorKind::NotFound
    )
}

/// The images in a deployment.
#[derive(Default)]
pub(super) struct Images {
    /// The images of the providers in a manifest, or all entries of a list.
    pub(super) images: Vec<Image>,
    /// The images of the components in a manifest.
    pub(super) components: Vec<Image>,
}

/// Returns the images in a list, or those of the providers in a manifest.
pub(super) fn images(content: &str, name: &str) -> Result<Vec<Image>> {
    Ok(images_of_all(content, name)?.images)
}

/// Returns the images in a list or in a manifest.
pub(super) fn images_of_all(content: &str, name: &str) -> Result<Images> {
    let bare = without_mark(content);
    let mark = content.len() - bare.len();
    let first = listed(bare).next();
    let mut found = if first.is_some_and(|line| is_yaml(&line.written)) {
        manifest(bare, name)?
    } else {
        Images {
            images: listed(bare).collect(),
            components: Vec::new(),
        }
    };
    let images = found.images.iter_mut().chain(&mut found.components);
    for place in images.filter_map(|image| image.place.as_mut()) {
        *place = place.start + mark..place.end + mark;
    }
    Ok(found)
}

/// Returns a text without the byte order mark that editors on Windows write at its start.
fn without_mark(content: &str) -> &str {
    content.strip_prefix('\u{feff}').unwrap_or(content)
}

/// Whether a manifest can begin with this line. A list of references cannot: the line is a key, the start of a
/// document, or JSON, which is also YAML.
fn is_yaml(line: &str) -> bool {
    let key = line.split_once(':').map(|(_, value)| value);
    key.is_some_and(|value| value.is_empty() || value.starts_with(char::is_whitespace))
        || line.starts_with(['{', '%'])
        || line.starts_with("---")
}

/// Returns the lines of a list, without comments.
fn listed(content: &str) -> impl Iterator<Item = Image> {
    let lines = (1..).zip(content.lines());
    lines.filter_map(|(number, line)| {
        // The directory of an image layout may contain `#`, so a comment needs a space before it.
        let line = line.split_once(" #").map_or(line, |(line, _)| line);
        let written = line.trim();
        let counts = !written.is_empty() && !written.starts_with('#');
        // `written` is a part of `content`, so the difference of the addresses is a position in it.
        let start = (written.as_ptr() as usize).checked_sub(content.as_ptr() as usize);
        counts.then(|| Image {
            number,
            written: written.to_owned(),
            place: start.map(|start| start..start + written.len()),
        })
    })
}

#[derive(Deserialize)]
struct Document {
    kind: String,
    #[serde(default)]
    spec: Specification,
}

#[derive(Default, Deserialize)]
struct Specification {
    components: Option<Vec<Component>>,
}

#[derive(Deserialize)]
struct Component {
    name: String,
    #[serde(rename = "type")]
    kind: Spanned<String>,
    #[serde(default)]
    properties: Properties,
}

#[derive(Default, Deserialize)]
struct Properties {
    /// Missing if the component is shared from another application.
    image: Option<Spanned<String>>,
}

/// Returns the images of the providers and of the components in a manifest.
fn manifest(content: &str, name: &str) -> Result<Images> {
    // The parser also bounds the depth and other costs by default.
    let options = options! {
        with_snippet: false,
        alias_limits: alias_limits! { max_total_replayed_events: EXPANSION_LIMIT },
    };
    let documents: Vec<Document> = serde_saphyr::from_multiple_with_options(content, options)
        .map_err(|error| Failure::usage(format!("{name} is not a wadm manifest: {error}")))?;
    if !documents.iter().any(|document| document.kind == KIND) {
        bail!(
            Failure::usage(format!(
                "{name} is not a wadm manifest: it has no document of the kind `{KIND}`"
            ))
            .hint(EXPECTED)
        );
    }
    let mut found = Images::default();
    for document in documents {
        if document.kind != KIND {
            skipped(name, "document", &document.kind);
            continue;
        }
        let Some(components) = document.spec.components else {
            bail!(Failure::usage(format!(
                "{name} is not a wadm manifest: an application has no `spec.components`"
            )));
        };
        for component in components {
            let image = component.properties.image.map(|image| Image {
                number: image.referenced.line(),
                // The image of an alias is written at its anchor.
                place: bytes(image.defined.span()),
                written: image.value,
            });
            match (component.kind.value.as_str(), image) {
                ("capability", Some(image)) => found.images.push(image),
                ("capability", None) => skipped(name, "component", &component.name),
                ("component" | "actor", image) => {
                    skipped(name, "component", &component.name);
                    found.components.extend(image);
                }
                (kind, _) => bail!(Failure::usage(format!(
                    "{name}, line {}: the component `{}` has the type `{kind}`, which is neither \
                     `component` nor `capability`",
                    component.kind.referenced.line(),
                    component.name
                ))),
            }
        }
    }
    Ok(found)
}

/// Returns the bytes of a scalar.
fn bytes(span: Span) -> Option<Range<usize>> {
    let start = usize::try_from(span.byte_offset()?).ok()?;
    let length = usize::try_from(span.byte_len()?).ok()?;
    Some(start..start.checked_add(length)?)
}

fn skipped(file: &str, what: &str, name: &str) {
    // The target is set because the log shows only events of the library.
    tracing::info!(target: "wasmcloud_par", "skipping {name} in {file}: it is a {what}, not a provider");
}

#[cfg(test)]
#[path = "tests/deployment.rs"]
mod tests;
