//! Sigstore identities that a policy demands, with bundles of a real instance.
//!
//! `scripts/sigstore fixtures` has made the files in `tests/fixtures/sigstore`. The certificates were valid for ten
//! minutes. That is enough, because they only have to be valid at the time of signing.

mod asking;
mod commands;
mod discovering;
mod locked;
mod refused;
mod with_api;

use std::fs;
use std::path::{Path, PathBuf};

use data_encoding::BASE64;
use serde_json::{Value, json};
use wasmcloud_par::content::Digest;

use crate::support::{Environment, Outcome, Registry};
use crate::transfer::{peer, text};

/// The identity that has signed the manifest, and its issuer.
const DEVELOPER: (&str, &str) = ("dev@acme.test", "http://oidc.test/email");
/// The identity of the workflow that has attested the provenance, and its issuer.
const WORKFLOW: (&str, &str) = (
    "https://github.com/acme/demo/.github/workflows/release.yml@refs/tags/v1.0.0",
    "http://oidc.test/ci",
);
const SIGNATURE: &str = "https://sigstore.dev/cosign/sign/v1";
const PROVENANCE: &str = "https://slsa.dev/provenance/v1";
const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
const EMPTY: &str = "application/vnd.oci.empty.v1+json";
const REPOSITORY: &str = "acme/archive";

fn fixture(name: &str) -> PathBuf {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/sigstore");
    fixtures.join(name)
}

fn read(name: &str) -> Vec<u8> {
    fs::read(fixture(name)).unwrap()
}

/// Returns a bundle to be changed.
fn bundle(name: &str) -> Value {
    serde_json::from_slice(&read(name)).unwrap()
}

/// Returns the manifest of an artifact with this layer, which refers to `subject`.
fn bundle_manifest(subject: &Value, layer: Value, annotations: Value) -> Value {
    json!({
        "schemaVersion": 2,
        "mediaType": peer::MANIFEST,
        "artifactType": BUNDLE,
        "config": { "mediaType": EMPTY, "digest": Digest::of(b"{}"), "size": 2 },
        "layers": [layer],
        "subject": subject,
        "annotations": annotations,
    })
}

/// Returns a policy with a rule that demands an identity of the instance.
fn policy((subject, issuer): (&str, &str), more: &str) -> String {
    let root = fixture("trusted_root.json");
    format!(
        "[[rule]]\nmatch = \"127.0.0.1:*\"\n[[rule.identity]]\nissuer = \"{issuer}\"\n\
         subject = \"{subject}\"\nroot = {root:?}\n{more}\n"
    )
}

/// Writes the policy of a user.
fn configure(environment: &Environment, policy: &str) {
    let directory = environment.home().join(".config/wasmcloud-par");
    fs::create_dir_all(&directory).unwrap();
    fs::write(directory.join("trust.toml"), policy).unwrap();
}

/// A registry with the signed archive, and a user of it.
struct Site {
    environment: Environment,
    registry: Registry,
    /// The descriptor of the manifest of the archive.
    manifest: Value,
    /// The descriptors of the referrers of the manifest.
    referrers: Vec<Value>,
}

impl Site {
    /// Starts a registry that has the archive, without any bundle.
    fn new() -> Self {
        let registry = Registry::start();
        let reference = registry.reference(&format!("{REPOSITORY}:1.0.0"));
        let archive = read("archive.par.gz");
        peer::push_blob(&reference, "", &archive);
        peer::push_blob(&reference, "", b"{}");
        let manifest = peer::push_bytes(&reference, peer::MANIFEST, &read("manifest.json"));
        Self {
            environment: Environment::new(),
            registry,
            manifest,
            referrers: Vec::new(),
        }
    }

    /// Starts a registry that has the archive and these bundles.
    fn with(names: &[&str]) -> Self {
        let mut site = Self::new();
        for name in names {
            site.attach(&read(name));
        }
        site
    }

    fn reference(&self) -> String {
        self.registry.reference(&format!("{REPOSITORY}:1.0.0"))
    }

    fn digest(&self) -> &str {
        self.manifest["digest"].as_str().unwrap()
    }

    /// Attaches a bundle to the manifest, as cosign does where a registry has no referrers API.
    fn attach(&mut self, bundle: &[u8]) {
        let manifest = self.manifest.clone();
        let layer = peer::push_blob(&self.reference(), BUNDLE, bundle);
        self.attach_layer(&manifest, layer);
    }

    /// Attaches a bundle with an annotation that says what kind of statement it holds, as cosign does.
    fn attach_as(&mut self, bundle: &[u8], predicate: &str) {
        let manifest = self.manifest.clone();
        let layer = peer::push_blob(&self.reference(), BUNDLE, bundle);
        let annotations = json!({ "dev.sigstore.bundle.predicateType": predicate });
        self.attach_manifest(&bundle_manifest(&manifest, layer, annotations));
    }

    /// Attaches a bundle that its manifest holds as well.
    fn attach_embedded(&mut self, bundle: &[u8]) {
        let manifest = self.manifest.clone();
        let mut layer = peer::push_blob(&self.reference(), BUNDLE, bundle);
        layer["data"] = BASE64.encode(bundle).into();
        self.attach_layer(&manifest, layer);
    }

    /// Attaches a bundle of 200 MB, and returns its digest.
    fn attach_bundle_of_200_megabytes(&mut self) -> Digest {
        let digest = Digest::of(b"a large bundle");
        let layer = json!({ "mediaType": BUNDLE, "digest": digest, "size": 200_000_000 });
        let manifest = self.manifest.clone();
        // The registry has no such blob, and takes no manifest with one that it does not have.
        let blob = self.registry.blob(&digest.to_string());
        peer::push_blob(&self.reference(), BUNDLE, b"a large bundle");
        fs::File::options()
            .write(true)
            .open(blob)
            .unwrap()
            .set_len(200_000_000)
            .unwrap();
        self.attach_layer(&manifest, layer);
        digest
    }

    /// Attaches an artifact with this layer, which refers to `subject`.
    fn attach_layer(&mut self, subject: &Value, layer: Value) {
        self.attach_manifest(&bundle_manifest(subject, layer, json!({})));
    }

    fn attach_manifest(&mut self, manifest: &Value) {
        peer::push_blob(&self.reference(), EMPTY, b"{}");
        let bytes = manifest.to_string();
        let digest = Digest::of(bytes.as_bytes());
        let reference = self.registry.reference(&format!("{REPOSITORY}@{digest}"));
        let mut entry = peer::push_bytes(&reference, peer::MANIFEST, bytes.as_bytes());
        // cosign writes no annotations into the list.
        entry["artifactType"] = BUNDLE.into();
        self.referrers.push(entry);
        self.list_referrers();
    }

    fn list_referrers(&self) {
        self.list_referrers_of(self.digest());
    }

    fn list_referrers_of(&self, digest: &str) {
        let index = json!({
            "schemaVersion": 2,
            "mediaType": peer::INDEX,
            "manifests": self.referrers,
        });
        let tag = digest.replace(':', "-");
        let reference = self.registry.reference(&format!("{REPOSITORY}:{tag}"));
        peer::push_bytes(&reference, peer::INDEX, index.to_string().as_bytes());
    }

    /// Writes the policy of the user, with a rule that demands an identity of the instance.
    fn demand(&self, identity: (&str, &str), more: &str) {
        self.configure(&policy(identity, more));
    }

    /// Writes the policy of the user.
    fn configure(&self, policy: &str) {
        configure(&self.environment, policy);
    }

    fn fetch(&self, options: &[&str]) -> Outcome {
        let reference = self.reference();
        let fetch = ["fetch", &reference, "--target", "x86_64-linux"];
        self.environment.par([&fetch[..], options].concat())
    }

    /// Runs `par verify` with an identity and without a policy.
    fn verify(&self, (subject, issuer): (&str, &str), options: &[&str]) -> Outcome {
        let (reference, root) = (self.reference(), fixture("trusted_root.json"));
        let verify = ["verify", &reference, "--identity", subject];
        let issuer = ["--identity-issuer", issuer, "--trusted-root", text(&root)];
        self.environment
            .par([&verify[..], &issuer, options].concat())
    }

    /// Returns why a fetch is refused when the policy demands the developer's identity. Asserts that the archive is not
    /// cached.
    #[track_caller]
    fn refusal(&self) -> String {
        self.demand(DEVELOPER, "");
        let refused = self.fetch(&[]).exit(5);
        let executables = ".cache/wasmcloud-par/v1/executables/sha256";
        let executables = fs::read_dir(self.environment.home().join(executables));
        assert_eq!(executables.map_or(0, Iterator::count), 0, "{refused}");
        refused.stderr.clone()
    }
}
