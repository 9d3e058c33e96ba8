//! Proxy variables in all their forms.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::thread;

use crate::hosts::configure;
use crate::support::archives::ArchiveBuilder;
use crate::support::forwarder::Forwarder;
use crate::support::{Answer, Environment, Outcome, Registry, Server};

const REFERENCE: &str = "registry.test:5000/provider:1.0.0";

fn environment() -> Environment {
    let environment = Environment::new();
    environment.write("provider.par", ArchiveBuilder::two_targets().build());
    environment
}

/// Pushes to `reference` with these variables.
#[track_caller]
fn push(environment: &Environment, reference: &str, variables: &[(&str, &str)]) -> Outcome {
    let mut command = environment.command();
    command.envs(variables.iter().copied());
    command.args(["push", reference, "provider.par"]);
    if !variables
        .iter()
        .any(|(name, _)| name.eq_ignore_ascii_case("HTTPS_PROXY"))
    {
        command.arg("--insecure");
    }
    Outcome::of(command, b"")
}

/// Returns an address at which nothing answers.
fn unused() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().to_string()
}

#[test]
fn no_proxy_has_the_forms_of_gos_programs() {
    let (environment, registry) = (environment(), Registry::start());
    let proxy = Forwarder::to(registry.address());
    let url = proxy.url();
    for (list, is_direct) in [
        ("registry.test:5000", true),
        (" other.test , registry.test:5000 ", true),
        ("*.test:5000", true),
        (".test", true),
        ("REGISTRY.TEST", true),
        ("other.test *", true),
        ("registry.test:5001", false),
        (".registry.test", false),
        ("*.registry.test", false),
        ("istry.test", false),
        ("10.0.0.0/8", false),
        ("", false),
    ] {
        for name in ["NO_PROXY", "no_proxy"] {
            let before = proxy.lines().len();
            let variables = [
                ("HTTP_PROXY", url.as_str()),
                (name, list),
                ("PAR_PATIENCE", "0"),
            ];
            // The name cannot be resolved.
            push(&environment, REFERENCE, &variables).exit(if is_direct { 6 } else { 0 });
            assert_eq!(proxy.lines().len() == before, is_direct, "{name}={list}");
        }
    }
    for (list, address, is_direct) in [
        ("192.0.2.0/24", "192.0.2.7:5000", true),
        ("192.0.2.7:5000", "192.0.2.7:5000", true),
        ("192.0.2.7:80", "192.0.2.7:5000", false),
        ("[2001:db8::7]:5000", "[2001:db8::7]:5000", true),
        ("2001:db8::/32", "[2001:db8::7]:5000", true),
        ("[2001:db8::8]", "[2001:db8::7]:5000", false),
    ] {
        // Nothing answers at these addresses; the proxy does.
        if !is_direct {
            let reference = format!("{address}/provider:1.0.0");
            let variables = [("HTTP_PROXY", url.as_str()), ("NO_PROXY", list)];
            push(&environment, &reference, &variables).success();
        }
    }
}

#[test]
fn a_proxy_may_lack_its_scheme_and_have_a_variable_in_lower_case() {
    let (environment, registry) = (environment(), Registry::start());
    let proxy = Forwarder::to(registry.address());
    let address = proxy.url().replace("http://", "");
    for variables in [
        [
            ("HTTP_PROXY", address.as_str()),
            ("http_proxy", "unused.test"),
        ],
        [("HTTP_PROXY", ""), ("http_proxy", &address)],
        [("ALL_PROXY", &address), ("HTTP_PROXY", "")],
        [("all_proxy", &address), ("ALL_PROXY", "")],
    ] {
        let before = proxy.lines().len();
        push(&environment, REFERENCE, &variables).success();
        assert!(proxy.lines().len() > before, "{variables:?}");
    }
}

#[test]
fn a_proxy_that_is_unavailable_is_named_with_its_variable_and_without_its_password() {
    let environment = environment();
    let address = unused();
    for variable in ["HTTP_PROXY", "https_proxy", "ALL_PROXY"] {
        for scheme in ["http", "socks5h"] {
            let url = format!("{scheme}://jane:secret@{address}");
            let outcome = push(&environment, REFERENCE, &[(variable, &url)]).exit(6);
            let named = format!("through the proxy {scheme}://{address}, which {variable} names");
            assert!(outcome.stderr.contains(&named), "{outcome}");
            assert!(outcome.stderr.contains("NO_PROXY"), "{outcome}");
            assert!(!outcome.stderr.contains("secret"), "{outcome}");
        }
    }
    let hosts =
        format!("server = \"http://registry.test:5000\"\nproxy = \"http://u:secret@{address}\"\n");
    configure(&environment, "registry.test:5000", &hosts);
    let outcome = push(&environment, REFERENCE, &[]).exit(6);
    assert!(
        outcome.stderr.contains(&format!("http://{address}")),
        "{outcome}"
    );
    assert!(outcome.stderr.contains("hosts.toml"), "{outcome}");
    assert!(!outcome.stderr.contains("secret"), "{outcome}");
}

#[test]
fn a_proxy_that_demands_a_password_is_named_and_not_asked_again() {
    let environment = environment();
    let proxy = Server::start(|_, _| {
        Answer::status("407 Proxy Authentication Required")
            .header("proxy-authenticate", "Basic realm=\"proxy\"")
    });
    for variable in ["HTTP_PROXY", "HTTPS_PROXY"] {
        let url = format!("http://jane:secret@{}", proxy.address());
        let outcome = push(&environment, REFERENCE, &[(variable, &url)]).exit(4);
        let named = format!(
            "the proxy http://{}, which {variable} names",
            proxy.address()
        );
        assert!(outcome.stderr.contains(&named), "{outcome}");
        assert!(outcome.stderr.contains("407"), "{outcome}");
        assert!(!outcome.stderr.contains("secret"), "{outcome}");
    }
    let asked = [proxy.asked("POST", "/"), proxy.asked("CONNECT", "")].concat();
    let shown = asked
        .iter()
        .map(|asked| asked.head.get("proxy-authorization"));
    let expected = Some("Basic amFuZTpzZWNyZXQ=");
    assert_eq!(shown.collect::<Vec<_>>(), [expected, expected]);
}

#[test]
fn a_proxy_that_does_not_speak_tls_is_named() {
    let (environment, registry) = (environment(), Registry::start());
    let url = format!("https://u:secret@{}", registry.address());
    for variable in ["HTTP_PROXY", "HTTPS_PROXY"] {
        let outcome = push(&environment, REFERENCE, &[(variable, &url)]).exit(2);
        let named = format!(
            "the proxy https://{}, which {variable} names",
            registry.address()
        );
        assert!(outcome.stderr.contains(&named), "{outcome}");
        assert!(outcome.stderr.contains("write http://"), "{outcome}");
        assert!(!outcome.stderr.contains("secret"), "{outcome}");
    }
}

#[test]
fn a_proxy_that_refuses_tunnels_is_named() {
    let environment = environment();
    let proxy = Server::start(|_, _| Answer::status("403 Forbidden"));
    let url = format!("http://{}", proxy.address());
    let outcome = push(&environment, REFERENCE, &[("HTTPS_PROXY", &url)]).exit(6);
    let named = format!(
        "the proxy http://{}, which HTTPS_PROXY names",
        proxy.address()
    );
    assert!(outcome.stderr.contains(&named), "{outcome}");
    assert_eq!(proxy.asked("CONNECT", "").len(), 3);
}

#[test]
fn a_variable_that_names_no_proxy_is_an_error_and_not_a_direct_connection() {
    let environment = environment();
    for value in [
        "http://",
        "not a url",
        "ftp://secret@proxy",
        "http://secret@proxy:port",
        ":3128",
    ] {
        for variable in ["HTTP_PROXY", "https_proxy", "ALL_PROXY"] {
            let outcome = push(&environment, REFERENCE, &[(variable, value)]).exit(2);
            assert!(outcome.stderr.contains(variable), "{outcome}");
            assert!(!outcome.stderr.contains("secret"), "{outcome}");
        }
    }
    // This machine is reached without a proxy.
    let registry = Registry::start();
    let reference = registry.reference("provider:1.0.0");
    push(&environment, &reference, &[("HTTP_PROXY", "not a url")]).success();
}

#[test]
fn a_socks_proxy_is_used() {
    let (environment, registry) = (environment(), Registry::start());
    let proxy = socks(registry.address());
    for (scheme, reference) in [
        ("socks5h", REFERENCE),
        ("socks", REFERENCE),
        ("socks5", "192.0.2.7:5000/provider:1.0.0"),
    ] {
        let url = format!("{scheme}://{proxy}");
        push(&environment, reference, &[("ALL_PROXY", &url)]).success();
    }
}

/// Starts a SOCKS proxy of version 5 that connects every request to one registry. Returns its address.
fn socks(registry: &str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let registry = registry.to_owned();
    thread::spawn(move || {
        for client in listener.incoming() {
            let (client, registry) = (client.unwrap(), registry.clone());
            thread::spawn(move || drop(serve_socks(client, &registry)));
        }
    });
    address
}

/// Serves one connection (RFC 1928).
fn serve_socks(mut client: TcpStream, registry: &str) -> io::Result<()> {
    let mut read = |length: usize| {
        let mut bytes = vec![0; length];
        client.read_exact(&mut bytes).map(|()| bytes)
    };
    let methods = read(2)?[1];
    read(methods.into())?;
    client.write_all(&[5, 0])?;
    let mut read = |length: usize| {
        let mut bytes = vec![0; length];
        client.read_exact(&mut bytes).map(|()| bytes)
    };
    let length = match read(4)?[3] {
        1 => 4,
        4 => 16,
        _ => read(1)?[0].into(),
    };
    read(length + 2)?;
    client.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0])?;
    let server = TcpStream::connect(registry)?;
    let (from_server, to_client) = (server.try_clone()?, client.try_clone()?);
    thread::spawn(move || drop(pipe(from_server, to_client)));
    pipe(client, server)
}

fn pipe(mut from: TcpStream, mut to: TcpStream) -> io::Result<()> {
    io::copy(&mut from, &mut to)?;
    to.shutdown(Shutdown::Write)
}
