//! `hosts.toml` with mistakes, and pushes that it directs to other hosts.

use crate::hosts::configure;
use crate::support::archives::ArchiveBuilder;
use crate::support::{Environment, Registry};

#[test]
fn an_unknown_key_is_a_warning_with_line_and_column() {
    let (environment, registry, mirror) =
        (Environment::new(), Registry::start(), Registry::start());
    environment.write("provider.par", ArchiveBuilder::two_targets().build());
    let reference = registry.reference("provider:1.0.0");
    environment
        .par(["push", &reference, "provider.par"])
        .success();
    let hosts = format!(
        "\u{feff}server = \"http://{}\"\r\nskipverify = true\r\n\r\n[host.\"http://{}\"]\r\n  capabilites = [\"pull\"]\r\n  \
         dial_timeout = \"5s\"\r\n",
        registry.address(),
        mirror.address()
    );
    configure(&environment, registry.address(), &hosts);
    let outcome = environment.par(["resolve", &reference]).success();
    for said in [
        "hosts.toml, line 2, column 1: the key `skipverify` is not known",
        "hosts.toml, line 5, column 3: the key `capabilites` is not known",
    ] {
        assert_eq!(outcome.stderr.matches(said).count(), 1, "{outcome}");
    }
    assert_eq!(outcome.stderr.matches("warning: ").count(), 2, "{outcome}");
}

#[test]
fn a_push_to_another_host_than_the_named_one_gives_a_warning() {
    let (environment, registry, mirror) =
        (Environment::new(), Registry::start(), Registry::start());
    environment.write("provider.par", ArchiveBuilder::two_targets().build());
    let reference = registry.reference("provider:1.0.0");
    for capabilities in ["", "capabilities = [\"pull\", \"push\"]"] {
        let hosts = format!("[host.\"http://{}\"]\n{capabilities}\n", mirror.address());
        configure(&environment, registry.address(), &hosts);
        let outcome = environment
            .par(["push", &reference, "provider.par"])
            .success();
        let said = format!(
            "{} is changed instead of {}",
            mirror.address(),
            registry.address()
        );
        assert_eq!(outcome.stderr.matches(&said).count(), 1, "{outcome}");
        assert!(outcome.stderr.contains("hosts.toml"), "{outcome}");
    }
    assert_eq!(registry.requests(), [""; 0]);

    let hosts = format!(
        "[host.\"http://{}\"]\ncapabilities = [\"pull\"]\n",
        mirror.address()
    );
    configure(&environment, registry.address(), &hosts);
    let outcome = environment
        .par(["push", &reference, "provider.par"])
        .success();
    assert_eq!(outcome.stderr.lines().count(), 1, "{outcome}");
    assert!(outcome.stderr.starts_with("sent "), "{outcome}");
}

#[test]
fn a_value_of_the_wrong_type_is_an_error_with_line_and_column() {
    let environment = Environment::new();
    for (hosts, said) in [
        ("skip_verify = \"yes\"", "line 1, column 15"),
        (
            "[host.\"http://m\"]\ncapabilities = \"pull\"",
            "line 2, column 16",
        ),
        (
            "[host.\"http://m\"]\ncapabilities = [\"pull\", \"pusk\"]",
            "line 2, column",
        ),
        (
            "\n[host.\"http://m\"]\n[host.\"http://m\"]",
            "line 3, column",
        ),
        ("server = 5", "line 1, column 10"),
        ("proxy = \"ftp://p\"", "line 1, column 9"),
    ] {
        configure(&environment, "r.test", hosts);
        let outcome = environment.par(["resolve", "r.test/x:1"]).exit(2);
        assert!(outcome.stderr.contains("hosts.toml"), "{outcome}");
        assert!(outcome.stderr.contains(said), "{hosts}: {outcome}");
    }
}

#[test]
fn a_password_in_the_url_of_a_host_is_not_shown() {
    let environment = Environment::new();
    for url in [
        "http://jane:hunter2@a.test",
        "jane:hunter2@a.test",
        "http://jane:hunter2@a b",
    ] {
        let hosts = format!("[host.\"{url}\"]\n");
        configure(&environment, "127.0.0.1:1", &hosts);
        let outcome = environment.par(["tags", "127.0.0.1:1/x"]).exit(2);
        assert!(outcome.stderr.contains("hosts.toml, line 1"), "{outcome}");
        assert!(!outcome.stderr.contains("hunter2"), "{outcome}");
    }
}
