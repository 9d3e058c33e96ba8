//! Registries with certificates of a private authority, and registries that require a client certificate.

use std::fs;
use std::io;
use std::net::TcpListener;
use std::path::PathBuf;

use super::{archive, assert_pulls, configure, par, text};
use crate::support::certificates::Authority;
use crate::support::{Environment, Registry, shared_registry, unique};

const ADDRESS: &str = "127.0.0.1";

fn authority(environment: &Environment, name: &str) -> Authority {
    Authority::new(&environment.path(name))
}

fn started(certificate: &(PathBuf, PathBuf)) -> Registry {
    Registry::builder().tls(certificate).start()
}

#[test]
fn a_private_authority_is_trusted_with_ca() {
    let environment = Environment::new();
    let (known, other) = (authority(&environment, "a"), authority(&environment, "b"));
    let registry = started(&known.server(ADDRESS));
    let reference = registry.reference("provider:1.0.0");
    let file = archive(&environment);
    let push = ["push", &reference, &file];

    let ca = text(known.file());
    par(&environment, &push, &["--ca", &ca]).success();
    assert_pulls(&environment, &reference, &file, &["--ca", &ca]);
    par(&environment, &push, &["--insecure-skip-tls-verify"]).success();
    let both = ["--ca", &text(other.file()), "--ca", &ca];
    assert_pulls(&environment, &reference, &file, &both);

    let refused = par(&environment, &push, &["--ca", &text(other.file())]).exit(5);
    let said = "the authority of its certificate is not trusted";
    assert!(refused.stderr.contains(said), "{refused}");
    assert!(refused.stderr.contains("with --ca"), "{refused}");
}

#[test]
fn the_error_says_what_is_wrong_with_a_certificate() {
    let environment = Environment::new();
    let authority = authority(&environment, "a");
    let file = archive(&environment);
    for (certificate, said, hint) in [
        (
            authority.expired(ADDRESS),
            "is not valid now",
            "renew the certificate",
        ),
        (
            authority.server("registry.test"),
            "is for another name",
            "use the name",
        ),
    ] {
        let registry = started(&certificate);
        let reference = registry.reference("provider:1.0.0");
        let push = ["push", &reference, &file, "--ca", &text(authority.file())];
        let refused = par(&environment, &push, &[]).exit(5);
        assert!(refused.stderr.contains(said), "{refused}");
        assert!(refused.stderr.contains(hint), "{refused}");
    }
}

#[test]
fn a_redirect_from_https_to_plain_http_is_not_followed() {
    let environment = Environment::new();
    let authority = authority(&environment, "a");
    let ca = ["--ca", &text(authority.file())];
    let storage = TcpListener::bind((ADDRESS, 0)).unwrap();
    storage.set_nonblocking(true).unwrap();
    let redirect = format!(
        "middleware:\n  storage:\n    - name: redirect\n      options:\n        baseurl: http://{}/",
        storage.local_addr().unwrap()
    );
    let open = Registry::start();
    let file = archive(&environment);
    let push = ["push", &open.reference("provider:1.0.0"), &file];
    par(&environment, &push, &[]).success();
    let registry = Registry::builder()
        .tls(&authority.server(ADDRESS))
        .storage(open.storage())
        .section(&redirect)
        .start();
    let reference = registry.reference("provider:1.0.0");
    let refused = par(&environment, &["pull", &reference], &ca).exit(1);
    let said = "it leads from https to plain http";
    assert!(refused.stderr.contains(said), "{refused}");
    let asked = storage.accept().map(drop).map_err(|error| error.kind());
    assert_eq!(asked, Err(io::ErrorKind::WouldBlock));
}

#[test]
fn plain_http_to_a_tls_port_and_tls_to_a_plain_port_have_their_own_errors() {
    let environment = Environment::new();
    let authority = authority(&environment, "a");
    let registry = started(&authority.server(ADDRESS));
    let reference = registry.reference("provider:1.0.0");
    let file = archive(&environment);
    for command in [
        &["push", &reference, &file][..],
        &["fetch", &reference],
        &["fetch", &reference, "--insecure"],
    ] {
        let refused = par(&environment, command, &[]).exit(2);
        assert!(refused.stderr.contains("speaks TLS"), "{refused}");
        assert!(refused.stderr.contains("--ca"), "{refused}");
    }
    let plain = format!("{}/{}:1", shared_registry(), unique("tls"));
    let fetch = ["fetch", &plain];
    // An authority alone does not mean that a registry on this machine speaks TLS.
    par(&environment, &fetch, &["--ca", &text(authority.file())]).exit(3);
    let refused = par(&environment, &fetch, &["--insecure-skip-tls-verify"]).exit(2);
    assert!(refused.stderr.contains("does not speak TLS"), "{refused}");
    assert!(refused.stderr.contains("--insecure"), "{refused}");
}

#[test]
fn a_client_certificate_is_sent_to_a_registry_that_requires_one() {
    let environment = Environment::new();
    let (known, other) = (authority(&environment, "a"), authority(&environment, "b"));
    let builder = Registry::builder().tls(&known.server(ADDRESS));
    let registry = builder.client_authority(known.file()).start();
    let reference = registry.reference("provider:1.0.0");
    let file = archive(&environment);
    let ca = text(known.file());
    let push = ["push", &reference, &file, "--ca", &ca];

    let (certificate, key) = known.client();
    let apart = [
        "--client-cert",
        &text(&certificate),
        "--client-key",
        &text(&key),
    ];
    par(&environment, &push, &apart).success();
    let both = [fs::read(&certificate).unwrap(), fs::read(&key).unwrap()].concat();
    let together = text(&environment.write("both.pem", both));
    let pull = ["--ca", &ca, "--client-cert", &together];
    assert_pulls(&environment, &reference, &file, &pull);

    let (wrong_certificate, wrong_key) = other.client();
    let wrong = [
        "--client-cert",
        &text(&wrong_certificate),
        "--client-key",
        &text(&wrong_key),
    ];
    for options in [&[][..], &wrong] {
        let refused = par(&environment, &push, options).exit(4);
        assert!(
            refused.stderr.contains("requires a client certificate"),
            "{refused}"
        );
        assert!(refused.stderr.contains("--client-cert"), "{refused}");
    }
    for (key, code) in [(text(&wrong_key).as_str(), 2), ("missing.key", 3)] {
        let unusable = ["--client-cert", &text(&certificate), "--client-key", key];
        let refused = par(&environment, &push, &unusable).exit(code);
        assert!(refused.stderr.contains(key), "{refused}");
    }
    par(&environment, &push, &["--client-key", &text(&key)]).exit(2);
}

#[test]
fn a_directory_of_hosts_has_the_certificates_of_each_registry() {
    let environment = Environment::new();
    let known = authority(&environment, "a");
    let builder = Registry::builder().tls(&known.server(ADDRESS));
    let registry = builder.client_authority(known.file()).start();
    let reference = registry.reference("provider:1.0.0");
    let file = archive(&environment);
    let (certificate, key) = known.client();

    // Docker's layout, in a named directory.
    let entry = format!("certs.d/{}", registry.address());
    for (name, from) in [
        ("ca.crt", known.file()),
        ("client.cert", &certificate),
        ("client.key", &key),
    ] {
        environment.write(&format!("{entry}/{name}"), fs::read(from).unwrap());
    }
    let push = ["push", &reference, &file];
    par(&environment, &push, &["--hosts-dir", "certs.d"]).success();
    par(&environment, &push, &[]).exit(2);

    // A hosts.toml of containerd, in the default directory.
    let pair = format!("[[{certificate:?}, {key:?}]]");
    let hosts = format!("ca = {:?}\nclient = {pair}\n", known.file());
    configure(&environment, registry.address(), &hosts);
    assert_pulls(&environment, &reference, &file, &[]);
    let url = format!("https://{}", registry.address());
    let hosts = format!("server = {url:?}\nskip_verify = true\nclient = {pair}\n");
    configure(&environment, "_default", &hosts);
    configure(&environment, registry.address(), &hosts);
    assert_pulls(&environment, &reference, &file, &[]);
}
