//! The token services to which credentials are sent.

use super::*;

#[test]
fn a_realm_over_plain_http_or_on_another_host_gets_no_credentials() {
    let environment = Environment::new();
    let service = TokenService::start(Rules::default());
    for (realm, expected) in [
        ("http://tokens.example/token", "it is not https"),
        (
            "https://tokens.example/token",
            "it is not in the registry's domain",
        ),
        (
            "https://u:p@127.0.0.1/token",
            "its URL contains credentials",
        ),
    ] {
        let registry = service.registry_with_realm(realm);
        let reference = registry.reference("org/provider:1.0.0");
        let refused = run(&environment, ["inspect", &reference]).exit(4);
        assert!(refused.stderr.contains("was not asked"), "{refused}");
        assert!(refused.stderr.contains(expected), "{refused}");
        // The client refuses before it resolves `tokens.example`.
        assert!(!refused.stderr.contains("not answering"), "{refused}");
    }
    assert!(service.asked().is_empty());
}
