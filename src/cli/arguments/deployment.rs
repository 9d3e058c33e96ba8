//! Reads the references of a deployment from a list or from a wadm manifest.
//!
//! A manifest is what [wadm] deploys: YAML documents of the kind `Application`, whose `spec.components` are
//! WebAssembly components (`type: component`) and providers (`type: capability`), each with an image in its
//! `properties`. The file may also contain documents of other kinds, for Kubernetes for example.
//!
//! [wadm]: https://github.com/wasmCloud/wadm

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use serde_saphyr::{Spanned, alias_limits, options};

use crate::cli::files;
use crate::cli::output::{Failure, path_text};
use crate::cli::threads::detached;
use crate::oci::Reference;

use super::registry::RegistryArgs;

/// How many YAML events the aliases of a manifest may expand to.
const EXPANSION_LIMIT: usize = 10_000;

/// A reference as it is written, and its line, counted from 1.
#[derive(Debug, PartialEq, Eq)]
struct Line {
    number: u64,
    written: String,
}

/// Reads the references of the providers in a file; `-` is standard input. A reference with the tag `latest`
/// is refused, as on the command line.
pub(crate) async fn read(path: PathBuf, registry: &RegistryArgs) -> Result<Vec<Reference>> {
    let name = if files::is_standard_input(&path) {
        "standard input".to_owned()
    } else {
        path_text(&path)
    };
    let title = name.clone();
    let content = detached(move || files::read_small(&path, &title)).await?;
    let Ok(content) = String::from_utf8(content) else {
        bail!(
            Failure::usage(format!("{name} is not text"))
                .hint("give a list of references, one in a line, or a wadm manifest")
        );
    };
    let mut references = Vec::new();
    for Line { number, written } in lines(&content, &name)? {
        let place = || format!("{name}, line {number}");
        if written.starts_with("file://") {
            bail!(
                Failure::usage(format!("{}: cannot lock the file {written}", place()))
                    .hint("push the file to a registry, and lock its reference")
            );
        }
        let reference = written.parse().with_context(place)?;
        references.push(registry.settle(reference, false).with_context(place)?);
    }
    Ok(references)
}

/// Returns the references in a list or in a manifest.
fn lines(content: &str, name: &str) -> Result<Vec<Line>> {
    let first = listed(content).next();
    if first.is_some_and(|line| is_yaml(&line.written)) {
        manifest(content, name)
    } else {
        Ok(listed(content).collect())
    }
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
fn listed(content: &str) -> impl Iterator<Item = Line> {
    let lines = (1..).zip(content.lines());
    lines.filter_map(|(number, line)| {
        // The directory of an image layout may contain `#`, so a comment needs a space before it.
        let line = line.split_once(" #").map_or(line, |(line, _)| line);
        let written = line.trim().to_owned();
        let counts = !written.is_empty() && !written.starts_with('#');
        counts.then_some(Line { number, written })
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
    /// Missing if a component of another application is shared.
    image: Option<Spanned<String>>,
}

/// Returns the images of the providers in a manifest.
fn manifest(content: &str, name: &str) -> Result<Vec<Line>> {
    // The parser also bounds the depth and other costs by default.
    let options = options! {
        with_snippet: false,
        alias_limits: alias_limits! { max_total_replayed_events: EXPANSION_LIMIT },
    };
    let documents: Vec<Document> = serde_saphyr::from_multiple_with_options(content, options)
        .map_err(|error| Failure::usage(format!("{name} is not a wadm manifest: {error}")))?;
    let mut found = Vec::new();
    for document in documents {
        if document.kind != "Application" {
            skipped(name, "document", &document.kind);
            continue;
        }
        let Some(components) = document.spec.components else {
            bail!(Failure::usage(format!(
                "{name} is not a wadm manifest: an application has no `spec.components`"
            )));
        };
        for component in components {
            match (component.kind.value.as_str(), component.properties.image) {
                ("capability", Some(image)) => found.push(Line {
                    number: image.referenced.line(),
                    written: image.value,
                }),
                ("capability" | "component" | "actor", _) => {
                    skipped(name, "component", &component.name);
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

fn skipped(file: &str, what: &str, name: &str) {
    // The log shows only events with the library's target.
    tracing::info!(target: "wasmcloud_par", "skipping {name} in {file}: it is a {what}, not a provider");
}

#[cfg(test)]
#[path = "tests/deployment.rs"]
mod tests;
