//! Signing with a real instance of Sigstore, and what cosign says of it. `scripts/sigstore test` starts the instance, and
//! runs these tests with the variables that it prints.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::*;
use crate::support::ApiRegistry;

const CI_ISSUER: &str = "http://oidc.test/ci";
const WORKFLOW: &str = "acme/demo/.github/workflows/release.yml@refs/tags/v1.0.0";

/// The instance that `scripts/sigstore` has started.
struct Instance {
    environment: Environment,
    signing_config: PathBuf,
    trusted_root: PathBuf,
    cosign: PathBuf,
}

impl Instance {
    fn new() -> Self {
        let variable = |name: &str| {
            let value = std::env::var_os(name);
            PathBuf::from(value.unwrap_or_else(|| panic!("no {name}: run scripts/sigstore test")))
        };
        let instance = Self {
            environment: Environment::new(),
            signing_config: variable("SIGNING_CONFIG"),
            trusted_root: variable("TRUSTED_ROOT"),
            cosign: variable("COSIGN"),
        };
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts/sigstore");
        let token = Command::new(script)
            .args(["token", "ci", WORKFLOW])
            .output();
        let token = token.expect("the script runs");
        assert!(token.status.success(), "{token:?}");
        instance.environment.write("token", token.stdout);
        instance
    }

    fn sign(&self, arguments: &[&str]) -> Outcome {
        let (config, root) = (text(&self.signing_config), text(&self.trusted_root));
        let mut command = self.environment.command();
        command.args(arguments).args(["--identity-token", "token"]);
        command.args(["--signing-config", config, "--trusted-root", root]);
        // What a job of GitHub Actions says of itself.
        for (name, value) in [
            ("GITHUB_ACTIONS", "true"),
            ("GITHUB_SERVER_URL", "https://github.com"),
            ("GITHUB_REPOSITORY", "acme/demo"),
            ("GITHUB_REF", "refs/tags/v1.0.0"),
            ("GITHUB_SHA", "0123456789abcdef0123456789abcdef01234567"),
            ("GITHUB_WORKFLOW_REF", WORKFLOW),
            ("GITHUB_RUN_ID", "3"),
        ] {
            command.env(name, value);
        }
        Outcome::of(command, b"")
    }

    fn cosign(&self, arguments: &[&str], reference: &str) -> Outcome {
        let mut command = self.environment.command_for(&self.cosign);
        let identity = format!("https://github.com/{WORKFLOW}");
        command
            .env("SIGSTORE_NO_CACHE", "1")
            .env("TUF_ROOT", "/nonexistent");
        command
            .args(arguments)
            .args(["--trusted-root", text(&self.trusted_root)]);
        command.args(["--certificate-identity", &identity]);
        command.args(["--certificate-oidc-issuer", CI_ISSUER, reference]);
        Outcome::of(command, b"")
    }

    /// Signs and attests an archive at `reference`, and lets `par` and cosign verify that there and at the copy.
    fn check(&self, reference: &str, copy: &str) {
        let file = small(&self.environment, "provider.par");
        self.sign(&["push", reference, text(&file), "--sigstore"])
            .success();
        self.sign(&["attest", reference]).success();
        self.environment.write(
            "bill.json",
            r#"{"bomFormat":"CycloneDX","specVersion":"1.6"}"#,
        );
        for kind in ["cyclonedx", "custom"] {
            let attest = [
                "attest",
                reference,
                "--predicate",
                "bill.json",
                "--type",
                kind,
            ];
            self.sign(&attest).success();
        }
        self.environment.par(["copy", reference, copy]).success();
        for place in [reference, copy] {
            let identity = ["--identity", "https://github.com/acme/*"];
            let issuer = ["--identity-issuer", CI_ISSUER];
            let root = ["--trusted-root", text(&self.trusted_root)];
            let verify = [&["verify", place][..], &identity, &issuer, &root].concat();
            self.environment.par(verify).success();
            self.cosign(&["verify"], place).success();
            for kind in ["slsaprovenance1", "cyclonedx", "custom"] {
                self.cosign(&["verify-attestation", "--type", kind], place)
                    .success();
            }
            self.cosign(&["verify-attestation", "--type", "vuln"], place)
                .exit(1);
        }
    }
}

#[test]
#[ignore = "scripts/sigstore test starts the instance that it signs with"]
fn cosign_accepts_what_par_signs_at_a_registry_without_the_referrers_api() {
    let registry = Registry::start();
    let (reference, copy) = (
        registry.reference("acme/demo:1"),
        registry.reference("copy/demo:1"),
    );
    Instance::new().check(&reference, &copy);
}

#[test]
#[ignore = "scripts/sigstore test starts the instance that it signs with"]
fn cosign_accepts_what_par_signs_at_a_registry_with_the_referrers_api() {
    let registry = ApiRegistry::start();
    let (reference, copy) = (
        registry.reference("acme/demo:1"),
        registry.reference("copy/demo:1"),
    );
    Instance::new().check(&reference, &copy);
}
