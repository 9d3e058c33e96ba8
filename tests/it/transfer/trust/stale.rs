//! Starting a provider from the cache after the credentials have expired.

use serde_json::json;

use super::super::text;
use super::Publisher;
use crate::support::{Environment, Outcome, Registry};

/// A host whose registry accepts one password.
struct Host {
    environment: Environment,
    registry: Registry,
}

const REFERENCE: &str = "registry.test/org/provider:1.0.0";

impl Host {
    fn new() -> Self {
        let host = Self {
            environment: Environment::new(),
            registry: Registry::builder().htpasswd("tester", "password").start(),
        };
        let server = format!("server = \"http://{}\"", host.registry.address());
        host.configure("hosts/registry.test/hosts.toml", &server);
        host
    }

    fn configure(&self, name: &str, content: &str) {
        let name = format!("../home/.config/wasmcloud-par/{name}");
        self.environment.write(&name, content);
    }

    fn par(&self, password: &str, arguments: &[&str]) -> Outcome {
        let basic = data_encoding::BASE64.encode(format!("tester:{password}").as_bytes());
        let config = json!({ "auths": { self.registry.address(): { "auth": basic } } });
        let name = "../home/.docker/config.json";
        self.environment.write(name, config.to_string());
        self.environment.par(arguments)
    }

    fn fetch(&self, password: &str, options: &[&str]) -> Outcome {
        let fetch = ["fetch", REFERENCE, "--target", "x86_64-linux"];
        self.par(password, &[&fetch[..], options].concat())
    }
}

#[test]
fn denied_access_stops_a_start_from_the_cache_unless_the_policy_or_an_option_allows_it() {
    let (host, jane) = (Host::new(), Publisher::new());
    let file = host.environment.write("a.par", jane.archive().build());
    host.par("password", &["push", REFERENCE, text(&file)])
        .success();
    // The cache is empty, so there is no earlier answer to use.
    let cold = host.fetch("expired", &[]).exit(4);
    assert!(!cold.stderr.contains("--pull missing"), "{cold}");
    let path = host.fetch("password", &[]).success().stdout;

    let refused = host.fetch("expired", &[]).exit(4);
    assert!(refused.stderr.contains("--pull missing"), "{refused}");
    assert!(refused.stderr.contains("par login"), "{refused}");
    assert!(refused.stderr.contains("is cached as sha256:"), "{refused}");
    assert_eq!(
        host.fetch("expired", &["--pull", "missing"])
            .success()
            .stdout,
        path
    );

    host.configure("trust.toml", "stale = \"denied\"");
    let warned = host.fetch("expired", &[]).success();
    assert_eq!(warned.stdout, path);
    assert!(warned.stderr.contains("is unconfirmed since"), "{warned}");
    host.fetch("expired", &["--pull", "always"]).exit(4);

    // The policy applies only to publishers that are pinned or listed in the rule.
    let rule = |lines: &str| format!("[[rule]]\nmatch = \"registry.test\"\n{lines}");
    host.configure("trust.toml", &rule("stale = \"denied\"\npin = \"off\""));
    host.fetch("expired", &[]).exit(4);
    let issuers = format!("issuers = [\"{}\"]", jane.issuer());
    let listed = rule(&format!("stale = \"denied\"\npin = \"off\"\n{issuers}"));
    host.configure("trust.toml", &listed);
    host.fetch("expired", &[]).success();
    host.configure(
        "trust.toml",
        &format!("stale = \"denied\"\n{}", rule("stale = \"unavailable\"")),
    );
    host.fetch("expired", &[]).exit(4);
    host.configure("trust.toml", "stale = \"always\"");
    host.fetch("password", &[]).exit(2);
}
