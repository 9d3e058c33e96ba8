//! Checks of the answer, of TLS and of the authentication.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use wasmcloud_par::client::{Check, Client, ClientOptions, Verdict};
use wasmcloud_par::content::ErrorKind;

use super::{doctor, pushed, text};
use crate::hosts::configure;
use crate::support::certificates::Authority;
use crate::support::proxy::{Fault, Proxy, Rule};
use crate::support::{Environment, Registry, shared_registry, unique};

/// Returns an address at which nothing listens.
fn unused_address() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().to_string()
}

#[test]
fn an_open_registry_is_checked_with_read_requests_only() {
    let (environment, registry) = (Environment::new(), Registry::start());
    let found = doctor(&environment, &[registry.address()], 0);
    assert_eq!(found.checks(), ["answer", "tls", "authentication"]);
    found
        .assert("answer", "good", "registry/2.0")
        .assert("tls", "good", "within this machine")
        .assert("authentication", "good", "none");

    let missing = registry.reference("org/missing");
    doctor(&environment, &[&missing], 0).assert("read", "limited", "first push");
    pushed(&environment, &registry, "org/provider:1.0.0");
    let before = registry.requests().len();
    for name in ["org/provider", "org/provider:1.0.0"] {
        doctor(&environment, &[&registry.reference(name)], 0)
            .assert("read", "good", "1.0.0 is sha256:")
            .assert("referrers", "limited", "no referrers API")
            .assert("ranges", "good", "continue");
    }
    let requests = registry.requests().split_off(before);
    assert!(
        requests
            .iter()
            .all(|line| line.starts_with("GET ") || line.starts_with("HEAD ")),
        "{requests:?}"
    );
    doctor(&environment, &[&registry.reference("org/provider:2")], 3).assert(
        "read",
        "failed",
        "check the repository and the tag",
    );
}

#[test]
fn the_report_is_readable_and_the_error_does_not_repeat_it() {
    let environment = Environment::new();
    let good = environment.par(["doctor", shared_registry()]).success();
    let lines: Vec<&str> = good.stdout.lines().collect();
    assert_eq!(lines.len(), 3, "{good}");
    assert!(
        lines[0].starts_with("ok      answer          http://"),
        "{good}"
    );

    let bad = environment.par(["doctor", &unused_address()]).exit(6);
    let mut lines = bad.stdout.lines();
    assert!(
        lines.next().unwrap().starts_with("FAILED  answer "),
        "{bad}"
    );
    assert!(
        lines.next().unwrap().trim_start().starts_with("-> check"),
        "{bad}"
    );
    assert!(bad.stderr.contains("cannot be used"), "{bad}");
    let said = bad.stdout.lines().next().unwrap().split_once("answer ");
    let said = said.unwrap().1.trim();
    assert!(
        !bad.stderr.contains(said),
        "the error repeats the report\n{bad}"
    );
}

#[test]
fn passwords_are_tried_and_not_printed() {
    let environment = Environment::new();
    let registry = Registry::builder().htpasswd("tester", "another-password");
    let registry = registry.start();
    let address = registry.address();
    let check = "authentication";
    doctor(&environment, &[address], 4).assert(check, "failed", "user and password (basic)");
    let with = |password| [address, "--user", "tester", "--password", password];
    let found = doctor(&environment, &with("not-the-password"), 4);
    found.assert(check, "failed", "refused the credentials of user tester");
    assert_eq!(found.json["error"]["kind"], "denied");
    assert!(!found.outcome.stdout.contains("not-the-password"));
    let found = doctor(&environment, &with("another-password"), 0);
    found.assert(check, "good", "the registry accepts user tester");
}

#[test]
fn the_token_service_is_named_and_contacted() {
    let environment = Environment::new();
    let answer = Fault::Answer {
        status: "200 OK",
        headers: Vec::new(),
        body: r#"{"token": "anything"}"#,
    };
    let service = Proxy::to(shared_registry(), vec![Rule::on("GET", "/token", answer)]);
    for (address, code, verdict, said) in [
        (
            service.address(),
            0,
            "good",
            "which the registry gives to anonymous users",
        ),
        (&unused_address(), 6, "failed", "is not answering"),
    ] {
        let challenge = format!("Bearer realm=\"http://{address}/token\",service=\"tests\"");
        let wants = Fault::answer("401 Unauthorized", "www-authenticate", challenge);
        // The registry answers like this to a request without credentials, and to the first request of the client.
        let rule = Rule::on("GET", "/v2/", wants).times(2);
        let registry = Proxy::to(shared_registry(), vec![rule]);
        doctor(&environment, &[registry.address()], code)
            .assert("authentication", verdict, said)
            .assert(
                "authentication",
                verdict,
                &format!("http://{address}/token for tests"),
            );
    }
}

#[test]
fn the_report_says_what_is_wrong_with_tls() {
    let environment = Environment::new();
    let authority = Authority::new(&environment.path("authority"));
    let registry = Registry::builder().tls(&authority.server("127.0.0.1"));
    let registry = registry.start();
    let (address, ca) = (registry.address(), text(authority.file()));
    let other = Authority::new(&environment.path("other"));

    doctor(&environment, &[address, "--ca", &ca], 0).assert("tls", "good", "is trusted");
    doctor(&environment, &[address, "--insecure-skip-tls-verify"], 0).assert(
        "tls",
        "limited",
        "it is not verified",
    );
    let found = doctor(&environment, &[address, "--ca", &text(other.file())], 5);
    found.assert(
        "tls",
        "failed",
        "authority of its certificate is not trusted",
    );
    found.assert("tls", "failed", "with --ca");
    assert_eq!(found.checks(), ["tls"]);
    doctor(&environment, &[address], 2).assert("tls", "failed", "speaks TLS");
    let any = [shared_registry(), "--insecure-skip-tls-verify"];
    doctor(&environment, &any, 2).assert("tls", "failed", "does not speak TLS");
    doctor(&environment, &[shared_registry(), "--ca", &ca], 0);
}

#[test]
fn a_web_server_is_not_a_registry() {
    let environment = Environment::new();
    let page = |status| Fault::Answer {
        status,
        headers: vec![("content-type", "text/html; charset=utf-8".to_owned())],
        body: "<html>It works!</html>",
    };
    for (status, said) in [
        ("200 OK", "it answers with a web page"),
        ("404 Not Found", "HTTP 404"),
    ] {
        let rule = Rule::on("GET", "/v2/", page(status)).always();
        let server = Proxy::to(shared_registry(), vec![rule]);
        let found = doctor(&environment, &[server.address()], 3);
        found.assert("answer", "failed", "there is no registry at");
        found.assert("answer", "failed", said);
    }
}

#[test]
fn a_silent_registry_is_given_up_after_the_stall_timeout() {
    let directory = tempfile::tempdir().unwrap();
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let place = silent.local_addr().unwrap().to_string().parse().unwrap();
    let mut options = ClientOptions::default().cache_directory(directory.path());
    options.registry.retry.stall_timeout = Duration::from_millis(300);
    let client = Client::new(options).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let started = Instant::now();
    let found = runtime.block_on(client.doctor(&place, false)).unwrap();
    // Without the limit it would be 50 seconds.
    assert!(started.elapsed() < Duration::from_secs(30));
    let (finding, kind) = found.obstacle().unwrap();
    assert_eq!(
        (finding.check, kind),
        (Check::Answer, ErrorKind::Unavailable)
    );
    assert_eq!(finding.verdict, Verdict::Failed(ErrorKind::Unavailable));
}

#[test]
fn a_mirror_that_is_down_is_passed_over() {
    let (environment, mirror) = (Environment::new(), unused_address());
    let registry = shared_registry();
    let tables = format!("[host.\"http://{mirror}\"]\ncapabilities = [\"pull\"]\n");
    configure(&environment, registry, &tables);
    let found = doctor(&environment, &[registry], 0);
    found.assert("mirror", "limited", &format!("{mirror} is passed over"));
    found.assert("answer", "good", registry);
}

#[test]
fn an_unavailable_registry_can_be_read_through_a_mirror() {
    let (environment, mirror, away) = (Environment::new(), Registry::start(), unused_address());
    pushed(&environment, &mirror, "org/provider:1.0.0");
    let place = format!("{away}/org/provider:1.0.0");
    let configure = |capabilities: &str| {
        let tables = format!("[host.\"http://{}\"]\n{capabilities}", mirror.address());
        configure(&environment, &away, &tables);
    };
    configure("capabilities = [\"pull\", \"resolve\"]");
    doctor(&environment, &[&place], 0)
        .assert("mirror", "good", mirror.address())
        .assert("answer", "limited", "is not answering")
        .assert(
            "answer",
            "limited",
            &format!("it is read through {} only", mirror.address()),
        )
        .assert("read", "good", "1.0.0 is sha256:");
    let fetch = ["fetch", &place, "--target", "x86_64-linux"];
    environment.par(fetch).success();
    // A fetch fails in the same way.
    let missing = format!("{away}/org/provider:2.0.0");
    doctor(&environment, &[&missing], 6).assert("read", "failed", "does not have the manifest");
    // A mirror takes no uploads.
    doctor(&environment, &[&place, "--push"], 6).assert("upload", "failed", "is not answering");

    // With this capability only, no host resolves tags.
    configure("capabilities = [\"pull\"]");
    doctor(&environment, &[&place], 6).assert("answer", "failed", "is not answering");
}

#[test]
fn the_error_names_the_whole_reference_and_says_that_the_registry_is_the_reason() {
    let environment = Environment::new();
    for (registry, code, check) in [
        (unused_address(), 6, "answer"),
        (shared_registry().to_owned(), 3, "read"),
    ] {
        let reference = format!("{registry}/{}:9", unique("doctor"));
        let found = doctor(&environment, &[&reference], code);
        let said = format!("{reference} cannot be used: the check `{check}` failed");
        assert_eq!(found.json["error"]["message"], said);
        let found = doctor(&environment, &["--host", &reference], code);
        let said = format!(
            "cannot check whether this machine can run {reference}, because of the registry: the check `{check}` failed"
        );
        assert_eq!(found.json["error"]["message"], said);
    }
}

#[test]
fn an_argument_that_is_not_a_registry_is_a_usage_error() {
    let environment = Environment::new();
    let refused = environment.par(["doctor", "provider"]).exit(2);
    assert!(refused.stderr.contains("is not a registry"), "{refused}");
    let refused = environment.par(["doctor", "ghcr.io", "--push"]).exit(2);
    assert!(refused.stderr.contains("ghcr.io/REPOSITORY"), "{refused}");
    assert_eq!(refused.stdout, "");
}
