//! Proxies from the environment and from `hosts.toml`.

use super::{archive, configure, pushed, text};
use crate::support::certificates::Authority;
use crate::support::forwarder::Forwarder;
use crate::support::{Environment, Outcome, Registry};

/// Runs the command with these variables.
#[track_caller]
fn par(environment: &Environment, variables: &[(&str, &str)], arguments: &[&str]) -> Outcome {
    let mut command = environment.command();
    command.envs(variables.iter().copied()).args(arguments);
    // A host that cannot be resolved would be tried again.
    command.env("PAR_PATIENCE", "0");
    Outcome::of(command, b"")
}

#[test]
fn plain_http_uses_http_proxy_except_for_no_proxy() {
    let (environment, registry) = (Environment::new(), Registry::start());
    let proxy = Forwarder::to(registry.address());
    let (url, file) = (proxy.url(), archive(&environment));
    let push = [
        "push",
        "registry.test:5000/provider:1.0.0",
        &file,
        "--insecure",
    ];

    par(&environment, &[("HTTP_PROXY", &url)], &push).success();
    let lines = proxy.lines();
    let wanted = "http://registry.test:5000/v2/provider/";
    assert!(lines.iter().all(|line| line.contains(wanted)), "{lines:?}");
    par(&environment, &[("http_proxy", &url)], &push).success();

    let before = proxy.lines().len();
    for names in ["registry.test", ".test", "*"] {
        let variables = [("HTTP_PROXY", url.as_str()), ("NO_PROXY", names)];
        par(&environment, &variables, &push).exit(6);
    }
    par(&environment, &[("HTTPS_PROXY", &url)], &push).exit(6);
    assert_eq!(proxy.lines().len(), before);
}

#[test]
fn tls_goes_through_a_tunnel_of_the_proxy() {
    let environment = Environment::new();
    let authority = Authority::new(&environment.path("a"));
    let certificate = authority.server("registry.test");
    let registry = Registry::builder().tls(&certificate).start();
    let proxy = Forwarder::to(registry.address());
    let (url, file, ca) = (proxy.url(), archive(&environment), text(authority.file()));
    let push = ["push", "registry.test/provider:1.0.0", &file, "--ca", &ca];

    par(&environment, &[("HTTPS_PROXY", &url)], &push).success();
    let lines = proxy.lines();
    let tunnel = |line: &String| line.starts_with("CONNECT registry.test:443 ");
    assert!(!lines.is_empty() && lines.iter().all(tunnel), "{lines:?}");
}

#[test]
fn loopback_registries_use_no_proxy_except_that_of_hosts_toml() {
    let (environment, registry) = (Environment::new(), Registry::start());
    let proxy = Forwarder::to(registry.address());
    let file = pushed(&environment, &registry, "provider:1.0.0");
    let reference = registry.reference("provider:1.0.0");
    let url = proxy.url();
    let push = ["push", &reference, &file];
    let all = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"].map(|name| (name, url.as_str()));

    par(&environment, &all, &push).success();
    assert_eq!(proxy.lines(), [""; 0]);

    configure(
        &environment,
        registry.address(),
        &format!("proxy = {url:?}"),
    );
    par(&environment, &[("NO_PROXY", "*")], &push).success();
    assert!(!proxy.lines().is_empty());
}
