//! The list of crates that `cargo auditable` writes: JSON, compressed with zlib.
//!
//! The crate `auditable-serde` defines the format. Unknown keys are ignored, as its documentation demands.

use std::io::{Read, Seek};

use flate2::read::ZlibDecoder;
use serde::Deserialize;

use crate::content::{is_too_large, read_bounded};

use super::error::MaterialsError;
use super::image::{Span, read_at};
use super::record::{Ecosystem, Materials, Package, PackageSource};

/// The largest list, in bytes after inflation. `auditable-info` has the same bound.
const LIMIT: u64 = 8 << 20;

const WHAT: &str = "list of crates in the section `.dep-v0`";

#[derive(Deserialize)]
struct List {
    packages: Vec<Crate>,
}

#[derive(Deserialize)]
struct Crate {
    name: String,
    version: String,
    source: String,
    /// `runtime` or `build`. The default is `runtime`.
    kind: Option<String>,
    #[serde(default)]
    dependencies: Vec<usize>,
    #[serde(default)]
    root: bool,
}

/// Reads the list in the bytes `span` of an executable.
pub(super) fn read(
    input: &mut (impl Read + Seek),
    span: Span,
) -> Result<Materials, MaterialsError> {
    let too_large = MaterialsError::TooLarge {
        what: WHAT,
        limit: LIMIT,
    };
    if span.size > LIMIT {
        return Err(too_large);
    }
    let compressed = read_at(input, span)?;
    let json = read_bounded(ZlibDecoder::new(&*compressed), LIMIT).map_err(|error| {
        if is_too_large(&error) {
            too_large
        } else {
            MaterialsError::Inflate(error)
        }
    })?;
    let list: List = serde_json::from_slice(&json).map_err(MaterialsError::Json)?;
    let count = list.packages.len();
    let mut named = list.packages.iter().flat_map(|each| &each.dependencies);
    if let Some(&index) = named.find(|index| **index >= count) {
        return Err(MaterialsError::NoSuchDependency { index, count });
    }
    Ok(Materials {
        root: list.packages.iter().position(|each| each.root),
        packages: list.packages.into_iter().map(Package::from).collect(),
    })
}

impl From<Crate> for Package {
    fn from(each: Crate) -> Self {
        Self {
            ecosystem: Ecosystem::Cargo,
            name: each.name,
            version: Some(each.version),
            source: match each.source.as_str() {
                "crates.io" => PackageSource::Public,
                _ => PackageSource::Other(each.source),
            },
            build_only: each.kind.is_some_and(|kind| kind == "build"),
            dependencies: each.dependencies,
        }
    }
}
