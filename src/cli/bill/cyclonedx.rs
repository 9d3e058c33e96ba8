//! CycloneDX 1.6, as JSON.

use serde_json::{Map, Value, json};

use crate::archive::PackageSource;

use super::model::{Bill, Component, Executable};
use super::names::{PROPERTY, TOOL};
use super::purl;
use super::uuid::uuid;

/// The reference of the provider inside the document.
const PROVIDER: &str = "provider";

/// Returns the document. In it, the provider depends on an application for each target, and each application depends on
/// its packages.
pub(crate) fn cyclonedx(bill: &Bill) -> Value {
    let mut provider = application(bill, PROVIDER);
    provider.insert("publisher".to_owned(), json!(bill.vendor));
    let properties = [("issuer", &bill.issuer), ("service", &bill.subject)];
    let properties = properties.map(|(name, value)| property(name, value));
    provider.insert("properties".to_owned(), json!(properties));

    let executables = bill.executables.iter().map(|each| executable(bill, each));
    let packages = bill.components.iter().map(|(id, each)| package(id, each));
    let components: Vec<Value> = executables.chain(packages).collect();

    let targets: Vec<String> = bill.executables.iter().map(reference).collect();
    let provided = json!({"ref": PROVIDER, "dependsOn": targets});
    let executables = bill.executables.iter();
    let executables =
        executables.map(|each| json!({"ref": reference(each), "dependsOn": each.roots}));
    let packages = bill.components.iter();
    let packages = packages.map(|(id, each)| json!({"ref": id, "dependsOn": each.dependencies}));
    let dependencies: Vec<Value> = std::iter::once(provided)
        .chain(executables)
        .chain(packages)
        .collect();

    let mut document = json!({
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "timestamp": bill.created,
            "lifecycles": [{"phase": "post-build"}],
            "tools": {"components": [{
                "type": "application",
                "name": TOOL,
                "version": env!("CARGO_PKG_VERSION"),
            }]},
            "component": provider,
        },
        "components": components,
        "dependencies": dependencies,
    });
    let serial = format!("urn:uuid:{}", uuid(&document));
    if let Value::Object(fields) = &mut document {
        fields.insert("serialNumber".to_owned(), json!(serial));
    }
    document
}

/// Returns the reference of an executable inside the document.
fn reference(executable: &Executable) -> String {
    format!("target:{}", executable.target)
}

fn application(bill: &Bill, reference: &str) -> Map<String, Value> {
    let mut application = Map::new();
    application.insert("type".to_owned(), json!("application"));
    application.insert("bom-ref".to_owned(), json!(reference));
    application.insert("name".to_owned(), json!(bill.name));
    if let Some(version) = &bill.version {
        application.insert("version".to_owned(), json!(version));
    }
    application
}

fn executable(bill: &Bill, executable: &Executable) -> Value {
    let mut component = application(bill, &reference(executable));
    if let Some(digest) = &executable.digest {
        let hash = json!([{"alg": "SHA-256", "content": digest.hex()}]);
        component.insert("hashes".to_owned(), hash);
    }
    let properties = [property("target", executable.target.as_str())];
    component.insert("properties".to_owned(), json!(properties));
    component.into()
}

fn package(id: &str, component: &Component) -> Value {
    let package = &component.package;
    let mut fields = Map::new();
    let mut add = |name: &str, value: Value| fields.insert(name.to_owned(), value);
    add("type", json!("library"));
    add("bom-ref", json!(id));
    add("name", json!(package.name));
    if let Some(version) = &package.version {
        add("version", json!(version));
    }
    // The code of a package that only ran during the build is not in the executable.
    let scope = if component.build_only {
        "excluded"
    } else {
        "required"
    };
    add("scope", json!(scope));
    if let Some(purl) = purl::of(package) {
        add("purl", json!(purl));
    }
    let targets = component.targets.iter();
    let mut properties: Vec<Value> = targets
        .map(|target| property("target", target.as_str()))
        .collect();
    if let PackageSource::Other(source) = &package.source {
        properties.push(property("source", source));
    }
    add("properties", json!(properties));
    fields.into()
}

fn property(name: &str, value: &str) -> Value {
    json!({"name": format!("{PROPERTY}:{name}"), "value": value})
}
