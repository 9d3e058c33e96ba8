//! An image layout that a test writes by hand.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use wasmcloud_par::content::Digest;

use crate::support::{Environment, Outcome, Registry};
use crate::transfer::peer::{INDEX, MANIFEST};

/// An image layout that a test writes by hand.
pub(super) struct Written<'a> {
    environment: &'a Environment,
    name: &'static str,
}

impl<'a> Written<'a> {
    pub(super) fn new(environment: &'a Environment, name: &'static str) -> Self {
        let marker = r#"{"imageLayoutVersion": "1.0.0"}"#;
        environment.write(&format!("{name}/oci-layout"), marker);
        Self { environment, name }
    }

    /// Writes a blob, and returns its descriptor.
    pub(super) fn blob(&self, media_type: &str, content: impl AsRef<[u8]>) -> Value {
        let content = content.as_ref();
        let digest = Digest::of(content);
        let path = format!("{}/blobs/sha256/{}", self.name, digest.hex());
        self.environment.write(&path, content);
        json!({ "mediaType": media_type, "digest": digest, "size": content.len() })
    }

    pub(super) fn json(&self, media_type: &str, content: &Value) -> Value {
        self.blob(media_type, content.to_string())
    }

    /// Writes an index, and gives it the tag `1`. Returns its digest.
    pub(super) fn index(&self, entries: &[Value]) -> String {
        let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": entries });
        self.tag(self.json(INDEX, &index))
    }

    /// Gives a manifest the tag `1`. Returns its digest.
    pub(super) fn tag(&self, mut manifest: Value) -> String {
        manifest["annotations"] = json!({ "org.opencontainers.image.ref.name": "1" });
        let index = json!({ "schemaVersion": 2, "manifests": [manifest] }).to_string();
        self.environment
            .write(&format!("{}/index.json", self.name), index);
        manifest["digest"].as_str().unwrap().to_owned()
    }

    pub(super) fn image(&self, text: &str) -> Value {
        json!({
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": self.blob("application/vnd.oci.empty.v1+json", "{}"),
            "layers": [self.blob("text/plain", text)],
        })
    }

    pub(super) fn copy(&self, to: &str) -> Outcome {
        let from = format!("oci-layout://{}:1", self.name);
        let copy = ["copy", &from, to, "-o", "json"];
        self.environment.par(copy)
    }

    /// Copies the tag `1` to a layout, and to a registry and back. Asserts that each copy holds all blobs, and no others
    /// besides lists of referrers.
    #[track_caller]
    pub(super) fn assert_copies_are_complete(&self) {
        let environment = self.environment;
        let registry = Registry::start();
        let there = registry.reference("org/copied:1");
        self.copy("oci-layout://direct:1").success();
        self.copy(&there).success();
        self.copy(&there).success();
        let back = ["copy", &there, "oci-layout://back:1"];
        environment.par(back).success();
        let blobs = |name: &str| {
            let names = fs::read_dir(environment.path(&format!("{name}/blobs/sha256"))).unwrap();
            let names = names.map(|name| name.unwrap().file_name().into_string().unwrap());
            let lists = lists(&environment.path(&format!("{name}/index.json")));
            let mut names: Vec<_> = names.filter(|name| !lists.contains(name)).collect();
            names.sort();
            names
        };
        for copy in ["direct", "back"] {
            assert_eq!(blobs(copy), blobs(self.name), "{copy}");
        }
    }
}

/// Returns the digests, without the algorithm, of the manifests that a layout has under tags made of digests.
fn lists(index: &Path) -> Vec<String> {
    let index: Value = serde_json::from_slice(&fs::read(index).unwrap()).unwrap();
    let entries = index["manifests"].as_array().unwrap().iter();
    let lists = entries.filter(|entry| {
        let name = &entry["annotations"]["org.opencontainers.image.ref.name"];
        name.as_str()
            .is_some_and(|name| name.starts_with("sha256-"))
    });
    let digests = lists.map(|list| list["digest"].as_str().unwrap());
    digests
        .map(|digest| digest["sha256:".len()..].to_owned())
        .collect()
}
