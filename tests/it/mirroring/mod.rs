//! Mirrors of whole deployments, and retention: which artifacts are copied, refused, deleted and kept.

mod checking;
mod continuing;
mod lists;
mod policies;
mod retention;
mod tars;

use std::fs;
use std::path::PathBuf;

use nkeys::KeyPair;
use serde_json::Value;

use crate::support::archives::ArchiveBuilder;
use crate::support::{Environment, Outcome, Registry};
use crate::transfer::{push, text};

/// The names of the providers of a [`Site`].
const PROVIDERS: [&str; 5] = ["http", "redis", "nats", "blobs", "evil"];

/// A deployment of five providers and a component in one registry, the origin, and another registry for the mirror. The
/// provider `evil` is by a publisher whom the policy of the user refuses.
struct Site {
    environment: Environment,
    origin: Registry,
    mirror: Registry,
    digests: Vec<String>,
    component: String,
}

impl Site {
    fn new() -> Self {
        let (environment, origin) = (Environment::new(), Registry::start());
        let (account, service) = (KeyPair::new_account(), KeyPair::new_service());
        let digests = PROVIDERS.map(|name| {
            let archive = ArchiveBuilder::two_targets().world(name.as_bytes());
            let archive = match name {
                "evil" => archive,
                _ => archive.keys(account.clone(), service.clone()),
            };
            let file = environment.write("pushed.par", archive.build());
            push(
                &environment,
                &origin.reference(&format!("org/{name}:1.0.0")),
                &file,
            )
        });
        let component = component(&origin, "org/hello", "1.0.0");
        let site = Self {
            digests: digests.to_vec(),
            component,
            mirror: Registry::start(),
            environment,
            origin,
        };
        site.write_manifest();
        site.write_policy(&account);
        site
    }

    fn write_manifest(&self) {
        let mut manifest = format!(
            "# The deployment\nkind: Application\nspec:\n  components:\n    - name: hello\n      \
             type: component\n      properties: {{image: {}}}   # the component\n",
            self.reference("hello")
        );
        for name in PROVIDERS {
            manifest.push_str(&format!(
                "    - name: {name}\n      type: capability\n      properties:\n        image: '{}' # {name}\n",
                self.reference(name)
            ));
        }
        self.environment.write("wadm.yaml", manifest);
    }

    fn write_policy(&self, account: &KeyPair) {
        let (address, issuer) = (self.origin.address(), account.public_key());
        let policy = format!("[[rule]]\nmatch = \"{address}/org/*\"\nissuers = [\"{issuer}\"]\n");
        self.environment
            .write("../home/.config/wasmcloud-par/trust.toml", policy);
    }

    fn reference(&self, name: &str) -> String {
        self.origin.reference(&format!("org/{name}:1.0.0"))
    }

    fn digest(&self, name: &str) -> &str {
        let position = PROVIDERS.iter().position(|provider| *provider == name);
        &self.digests[position.unwrap()]
    }

    /// The name of a provider in the mirror.
    fn mirrored(&self, name: &str) -> String {
        let origin = self.origin.address().replace(':', "__");
        self.mirror
            .reference(&format!("mirror/{origin}/org/{name}:1.0.0"))
    }

    /// Returns the mirror, as DST.
    fn place(&self) -> String {
        self.mirror.reference("mirror")
    }

    #[track_caller]
    fn par(&self, arguments: &[&str]) -> Outcome {
        self.environment.par(arguments)
    }

    /// Mirrors the manifest.
    #[track_caller]
    fn mirror(&self, options: &[&str]) -> Outcome {
        let mirror = ["mirror", "wadm.yaml", &self.place()];
        self.par(&[&mirror[..], options].concat())
    }

    /// Returns the digest that a reference names, if it names one.
    fn resolved(&self, reference: &str) -> Option<String> {
        let resolved = self.par(&["resolve", reference]);
        (resolved.code == 0).then(|| resolved.line().rsplit_once('@').unwrap().1.to_owned())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.environment.path(name)
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }
}

/// Puts a WebAssembly component into a registry. Returns its digest.
fn component(registry: &Registry, repository: &str, tag: &str) -> String {
    artifact(registry, repository, tag, None)
}

/// Puts an artifact into a registry, by a layout, without a tag if `tag` is empty. It may refer to a manifest of that
/// repository. Returns its digest.
fn artifact(registry: &Registry, repository: &str, tag: &str, subject: Option<&str>) -> String {
    let environment = Environment::new();
    let blob = |content: &[u8]| {
        let digest = wasmcloud_par::Digest::of(content).to_string();
        let name = digest.replace(':', "/");
        environment.write(&format!("layout/blobs/{name}"), content);
        digest
    };
    let (config, wasm) = (b"{}".as_slice(), b"\0asm component".as_slice());
    let (config_digest, wasm_digest) = (blob(config), blob(wasm));
    let mut manifest = serde_json::json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": {
            "mediaType": "application/vnd.wasm.config.v0+json",
            "digest": config_digest,
            "size": config.len(),
        },
        "layers": [{
            "mediaType": "application/wasm",
            "digest": wasm_digest,
            "size": wasm.len(),
        }],
    });
    if let Some(subject) = subject {
        manifest["subject"] = serde_json::json!({
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "digest": subject,
            "size": fs::metadata(registry.blob(subject)).unwrap().len(),
        });
    }
    let manifest = manifest.to_string();
    let digest = blob(manifest.as_bytes());
    environment.write("layout/oci-layout", r#"{"imageLayoutVersion":"1.0.0"}"#);
    let index = serde_json::json!({
        "schemaVersion": 2,
        "manifests": [{
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "digest": digest,
            "size": manifest.len(),
        }],
    });
    environment.write("layout/index.json", index.to_string());
    let name = match tag {
        "" => format!("{repository}@{digest}"),
        tag => format!("{repository}:{tag}"),
    };
    let reference = registry.reference(&name);
    environment
        .par(["copy", "oci-layout://layout", &reference])
        .success();
    digest
}

/// Returns the status of each reference in an answer.
fn statuses(answer: &Value) -> Vec<(String, String)> {
    let mirrored = answer["mirrored"].as_array().unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let statuses = mirrored
        .iter()
        .map(|one| (text(&one["reference"]), text(&one["status"])));
    statuses.collect()
}

/// Asserts that every reference but those in `others` has this status, and that those have the one beside them.
#[track_caller]
fn assert_statuses(answer: &Value, status: &str, others: &[(&str, &str)]) {
    for (reference, found) in statuses(answer) {
        let other = others
            .iter()
            .find(|(name, _)| reference.contains(&format!("/{name}:")));
        let expected = other.map_or(status, |(_, other)| *other);
        assert_eq!(found, expected, "{reference}: {answer}");
    }
}

/// Returns the requests after the first `seen` that write.
fn writes(registry: &Registry, seen: usize) -> Vec<String> {
    let requests = registry.requests().split_off(seen);
    let is_write = |request: &String| !request.starts_with("GET ") && !request.starts_with("HEAD ");
    requests.into_iter().filter(is_write).collect()
}

/// Returns a path as text.
fn path_text(site: &Site, name: &str) -> String {
    text(&site.path(name)).to_owned()
}
