//! Signing with Sigstore, with a small instance that the tests start. `scripts/sigstore test` signs with a real one, and lets
//! cosign verify what comes of it: the tests in `instance` are for that script.

mod attest;
mod instance;
mod push;
mod refused;
mod secrets;

use serde_json::Value;

use crate::support::sigstore::{self, IDENTITY, ISSUER, Sigstore, WrongAnswer};
use crate::support::{Environment, Outcome, Registry};
use crate::transfer::{push as push_archive, small, text};

const PROVENANCE: &str = "https://slsa.dev/provenance/v1";
const SIGNATURE: &str = "https://sigstore.dev/cosign/sign/v1";

/// A user, a registry, and an instance of Sigstore.
struct Site {
    environment: Environment,
    registry: Registry,
    sigstore: Sigstore,
}

impl Site {
    fn new() -> Self {
        Self::with(WrongAnswer::None)
    }

    /// Starts an instance that does something wrong. The user has a token for it.
    fn with(wrong: WrongAnswer) -> Self {
        let environment = Environment::new();
        let sigstore = Sigstore::start(&environment.path("sigstore"), wrong);
        environment.write("token", format!("{}\n", sigstore::token(300)));
        Self {
            registry: Registry::start(),
            environment,
            sigstore,
        }
    }

    fn reference(&self) -> String {
        self.registry.reference("acme/demo:1.0.0")
    }

    /// Pushes an archive that nobody signs with Sigstore.
    fn push_unsigned(&self) {
        let file = small(&self.environment, "provider.par");
        push_archive(&self.environment, &self.reference(), &file);
    }

    /// Runs a command with the instance and the token of the user.
    fn run(&self, arguments: &[&str]) -> Outcome {
        let token = ["--identity-token", "token"];
        self.run_without_token(&[arguments, &token].concat())
    }

    /// Runs a command with the instance.
    fn run_without_token(&self, arguments: &[&str]) -> Outcome {
        let options = self.sigstore.options();
        self.environment.par([arguments, &options].concat())
    }

    /// Pushes an archive, and signs it with the token of the user.
    fn push(&self, options: &[&str]) -> Outcome {
        let file = small(&self.environment, "provider.par");
        let reference = self.reference();
        let push = ["push", &reference, text(&file), "--sigstore"];
        self.run(&[&push[..], options].concat())
    }

    /// Returns what belongs to a manifest: the types of the artifacts.
    fn attached(&self, reference: &str) -> Vec<String> {
        let discovered = self.environment.par(["discover", reference, "-o", "json"]);
        let answer = discovered.success().json();
        let attached = answer["attached"].as_array().unwrap().iter();
        let types = attached.map(|one| one["artifact_type"].as_str().unwrap().to_owned());
        types.collect()
    }

    /// Verifies that the identity of the token vouches for a manifest. Returns the answer.
    fn verify(&self, reference: &str) -> Value {
        let root = self.sigstore.trusted_root();
        let identity = ["--identity", IDENTITY, "--identity-issuer", ISSUER];
        let verify = [
            "verify",
            reference,
            "--trusted-root",
            text(root),
            "-o",
            "json",
        ];
        let verified = self.environment.par([&verify[..], &identity].concat());
        verified.success().json()
    }
}
