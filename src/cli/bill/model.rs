//! The packages of an archive, before they become a document.

use std::collections::{BTreeMap, BTreeSet};

use crate::archive::{Ecosystem, Materials, Package, PackageSource, Target, VerifiedClaims};
use crate::content::Digest;

use super::purl;

/// The packages in the executables of an archive.
pub(crate) struct Bill {
    /// The name of the provider, or its public key if it has no name.
    pub(super) name: String,
    pub(super) version: Option<String>,
    pub(super) vendor: String,
    pub(super) issuer: String,
    pub(super) subject: String,
    /// The time in the document, in the format of RFC 3339.
    pub(super) created: String,
    pub(super) executables: Vec<Executable>,
    /// The packages by their identifiers. A package in several executables is one component.
    pub(super) components: BTreeMap<String, Component>,
}

pub(super) struct Executable {
    pub(super) target: Target,
    /// The hash of the executable in the signed claims.
    pub(super) digest: Option<Digest>,
    /// The identifiers of the packages that the executable depends on directly.
    pub(super) roots: BTreeSet<String>,
}

pub(super) struct Component {
    pub(super) package: Package,
    pub(super) targets: BTreeSet<Target>,
    /// Whether the package only ran during the build of each of its executables.
    pub(super) build_only: bool,
    /// The identifiers of the packages that this one depends on in some executable.
    pub(super) dependencies: BTreeSet<String>,
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

    /// Adds an executable. `found` are the packages that the compiler has recorded in it.
    pub(crate) fn add(&mut self, target: &Target, digest: Option<Digest>, found: Vec<Materials>) {
        let mut roots = BTreeSet::new();
        for materials in found {
            let packages = &materials.packages;
            let ids: Vec<String> = packages.iter().map(identifier).collect();
            let dependencies = packages.iter().flat_map(|package| &package.dependencies);
            let depended: BTreeSet<usize> = dependencies.copied().collect();
            for (index, package) in materials.packages.into_iter().enumerate() {
                // A package on which no other package depends must be a root, or nothing in the document would refer to
                // it.
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

    /// Adds a package of an executable. `ids` are the identifiers of all packages of the executable. Returns the
    /// identifier of the package.
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
            PackageSource::Public => "public",
            PackageSource::Other(source) => source,
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
