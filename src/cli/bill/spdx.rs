//! SPDX 2.3, as JSON.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::archive::{PackageSource, Target};

use super::model::{Bill, Component, Executable};
use super::names::TOOL;
use super::purl;
use super::uuid::uuid;

const DOCUMENT: &str = "SPDXRef-DOCUMENT";
const PROVIDER: &str = "SPDXRef-Provider";

/// Returns the document. In it, the provider contains an application for each target, and each application depends on
/// its packages.
pub(crate) fn spdx(bill: &Bill) -> Value {
    let named = Named::new(bill);
    let mut provider = package(PROVIDER, &bill.name, bill.version.as_deref());
    provider.insert("primaryPackagePurpose".to_owned(), json!("APPLICATION"));
    let supplier = format!("Organization: {}", bill.vendor);
    provider.insert("supplier".to_owned(), json!(supplier));
    let identity = format!("issuer {}, service {}", bill.issuer, bill.subject);
    provider.insert("comment".to_owned(), json!(identity));

    let executables = bill.executables.iter().enumerate();
    let executables = executables.map(|(index, each)| executable(bill, index, each));
    let libraries = bill.components.iter();
    let libraries = libraries.map(|(id, each)| library(&named.of(id), each));
    let packages: Vec<Value> = std::iter::once(provider.into())
        .chain(executables)
        .chain(libraries)
        .collect();

    let mut document = json!({
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": DOCUMENT,
        "name": bill.name,
        "creationInfo": {
            "created": bill.created,
            "creators": [format!("Tool: {TOOL}-{}", env!("CARGO_PKG_VERSION"))],
        },
        "packages": packages,
        "relationships": relationships(bill, &named),
    });
    // The specification recommends such an address for documents that are not on the web.
    let namespace = format!(
        "https://spdx.org/spdxdocs/wasmcloud-par-{}",
        uuid(&document)
    );
    if let Value::Object(fields) = &mut document {
        fields.insert("documentNamespace".to_owned(), json!(namespace));
    }
    document
}

/// The identifiers of the packages inside the document. They have letters, digits, `.` and `-` only.
struct Named<'a>(BTreeMap<&'a str, String>);

impl<'a> Named<'a> {
    fn new(bill: &'a Bill) -> Self {
        let named = bill
            .components
            .iter()
            .enumerate()
            .map(|(index, (id, component))| {
                let package = &component.package;
                let version = package.version.as_deref().unwrap_or_default();
                let readable = plain(&format!("{}-{version}", package.name));
                (id.as_str(), format!("SPDXRef-Package-{index}-{readable}"))
            });
        Self(named.collect())
    }

    fn of(&self, id: &str) -> String {
        self.0.get(id).cloned().unwrap_or_default()
    }
}

fn plain(text: &str) -> String {
    let allowed = |character: char| match character {
        '.' | '-' => character,
        _ if character.is_ascii_alphanumeric() => character,
        _ => '-',
    };
    text.chars().map(allowed).collect()
}

fn relationships(bill: &Bill, named: &Named<'_>) -> Vec<Value> {
    let mut all = vec![relationship(DOCUMENT, "DESCRIBES", PROVIDER)];
    for (index, executable) in bill.executables.iter().enumerate() {
        let id = identifier(index, &executable.target);
        all.push(relationship(PROVIDER, "CONTAINS", &id));
        for root in &executable.roots {
            all.push(relationship(&id, "DEPENDS_ON", &named.of(root)));
        }
    }
    for (id, component) in &bill.components {
        let dependent = named.of(id);
        for dependency in &component.dependencies {
            let is_build = bill
                .components
                .get(dependency)
                .is_some_and(|each| each.build_only);
            let dependency = named.of(dependency);
            all.push(if is_build && !component.build_only {
                relationship(&dependency, "BUILD_DEPENDENCY_OF", &dependent)
            } else {
                relationship(&dependent, "DEPENDS_ON", &dependency)
            });
        }
    }
    all
}

fn relationship(from: &str, kind: &str, to: &str) -> Value {
    json!({"spdxElementId": from, "relationshipType": kind, "relatedSpdxElement": to})
}

fn identifier(index: usize, target: &Target) -> String {
    format!("SPDXRef-Target-{index}-{}", plain(target.as_str()))
}

fn package(id: &str, name: &str, version: Option<&str>) -> Map<String, Value> {
    let mut package = Map::new();
    package.insert("SPDXID".to_owned(), json!(id));
    package.insert("name".to_owned(), json!(name));
    package.insert("downloadLocation".to_owned(), json!("NOASSERTION"));
    package.insert("filesAnalyzed".to_owned(), json!(false));
    if let Some(version) = version {
        package.insert("versionInfo".to_owned(), json!(version));
    }
    package
}

fn executable(bill: &Bill, index: usize, executable: &Executable) -> Value {
    let target = executable.target.as_str();
    let name = format!("{} for {target}", bill.name);
    let id = identifier(index, &executable.target);
    let mut fields = package(&id, &name, bill.version.as_deref());
    fields.insert("primaryPackagePurpose".to_owned(), json!("APPLICATION"));
    if let Some(digest) = &executable.digest {
        let checksum = json!([{"algorithm": "SHA256", "checksumValue": digest.hex()}]);
        fields.insert("checksums".to_owned(), checksum);
    }
    fields.into()
}

fn library(id: &str, component: &Component) -> Value {
    let each = &component.package;
    let mut fields = package(id, &each.name, each.version.as_deref());
    fields.insert("primaryPackagePurpose".to_owned(), json!("LIBRARY"));
    if let Some(purl) = purl::of(each) {
        let reference = json!([{
            "referenceCategory": "PACKAGE-MANAGER",
            "referenceType": "purl",
            "referenceLocator": purl,
        }]);
        fields.insert("externalRefs".to_owned(), reference);
    }
    let targets: Vec<&str> = component.targets.iter().map(Target::as_str).collect();
    let mut comment = format!("targets: {}", targets.join(", "));
    if let PackageSource::Other(source) = &each.source {
        comment += &format!("; source: {source}");
    }
    fields.insert("comment".to_owned(), json!(comment));
    fields.into()
}
