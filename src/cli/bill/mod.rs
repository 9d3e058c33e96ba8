//! Bills of materials: the packages in the executables of an archive, as CycloneDX and SPDX documents.
//!
//! The documents depend on the archive and the version of `par` only: the same archive gives the same bytes.

mod cyclonedx;
mod purl;
mod spdx;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::archive::{Ecosystem, Materials, Package, Source, Target, VerifiedClaims};
use crate::content::Digest;

pub(crate) use cyclonedx::cyclonedx;
pub(crate) use spdx::spdx;

/// The name of the tool in the documents.
const TOOL: &str = "wasmcloud-par";

/// The prefix of the names of our properties.
const PROPERTY: &str = "com.wasmcloud.par";

/// The packages in the executables of an archive.
pub(crate) struct Bill {
    /// The name of the provider, or its public key if it has no name.
    name: String,
    version: Option<String>,
    vendor: String,
    issuer: String,
    subject: String,
    /// When the document is made, by RFC 3339.
    created: String,
    executables: Vec<Executable>,
    /// The packages by their identifiers. A package in several executables is one component.
    components: BTreeMap<String, Component>,
}

struct Executable {
    target: Target,
    /// The signed hash.
    digest: Option<Digest>,
    /// The identifiers of the packages that the executable is made from.
    roots: BTreeSet<String>,
}

struct Component {
    package: Package,
    targets: BTreeSet<Target>,
    /// Whether the package only ran during the build, in all executables.
    build_only: bool,
    /// The identifiers of the packages that this one depends on in some executable.
    dependencies: BTreeSet<String>,
}

impl Bill {
    /// Begins a bill for an archive with these claims.
    pub(crate) fn new(claims: &VerifiedClaims, created: String) -> Self {
        let metadata = claims.metadata();
        let subject = claims.subject().as_str().to_owned();
        Self {
            name: metadata.name.unwrap_or_else(|| subject.clone()),
            version: metadata.version,
            vendor: metadata.vendor,
            issuer: claims.issuer().as_str().to_owned(),
            subject,
            created,
            executables: Vec::new(),
            components: BTreeMap::new(),
        }
    }

    /// Adds an executable with what its compiler recorded.
    pub(crate) fn add(&mut self, target: &Target, digest: Option<Digest>, found: Vec<Materials>) {
        let mut roots = BTreeSet::new();
        for materials in found {
            let packages = &materials.packages;
            let ids: Vec<String> = packages.iter().map(identifier).collect();
            let dependencies = packages.iter().flat_map(|package| &package.dependencies);
            let depended: BTreeSet<usize> = dependencies.copied().collect();
            for (index, package) in materials.packages.into_iter().enumerate() {
                // A package that nothing depends on would otherwise be reachable from nowhere.
                let is_top = !package.build_only && !depended.contains(&index);
                let id = self.include(target, package, &ids);
                if materials.root == Some(index) || is_top {
                    roots.insert(id);
                }
            }
        }
        self.executables.push(Executable {
            target: target.clone(),
            digest,
            roots,
        });
    }

    /// Adds a package of an executable, whose packages have these identifiers. Returns the identifier of the package.
    fn include(&mut self, target: &Target, package: Package, ids: &[String]) -> String {
        let id = identifier(&package);
        let build_only = package.build_only;
        let dependencies = package.dependencies.iter();
        let dependencies = dependencies.filter_map(|index| ids.get(*index));
        let dependencies: Vec<String> = dependencies
            .filter(|other| **other != id)
            .cloned()
            .collect();
        let component = self.components.entry(id.clone());
        let component = component.or_insert_with(|| Component {
            package,
            targets: BTreeSet::new(),
            build_only,
            dependencies: BTreeSet::new(),
        });
        component.build_only &= build_only;
        component.targets.insert(target.clone());
        component.dependencies.extend(dependencies);
        id
    }

    /// Returns how many packages there are.
    pub(crate) fn packages(&self) -> usize {
        self.components.len()
    }
}

/// Returns the identifier of a package: its package URL if it has one.
fn identifier(package: &Package) -> String {
    purl::of(package).unwrap_or_else(|| {
        let ecosystem = ecosystem(package);
        let source = match &package.source {
            Source::Public => "public",
            Source::Other(source) => source,
        };
        let version = package.version.as_deref().unwrap_or_default();
        format!("{ecosystem}:{}@{version}?source={source}", package.name)
    })
}

fn ecosystem(package: &Package) -> &'static str {
    match package.ecosystem {
        Ecosystem::Cargo => "cargo",
        Ecosystem::Go => "golang",
    }
}

/// Returns a UUID that is made from the digest of a document, as version 8 of RFC 9562 allows.
fn uuid(document: &Value) -> String {
    let digest = Digest::of(document.to_string().as_bytes());
    let hex: String = digest.hex().chars().take(32).collect();
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
    // The variant has two bits, of which the first one is set.
    format!(
        "{}-{}-8{}-a{}-{}",
        part(0, 8),
        part(8, 12),
        part(13, 16),
        part(17, 20),
        part(20, 32)
    )
}
