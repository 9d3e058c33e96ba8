//! Docker's `config.json`, as other tools write it.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::iter;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Duration;

use data_encoding::{BASE64, BASE64_MIME};
use serde_json::json;

use crate::support::{Answer, Environment, Outcome, Server};

const LONG: &str =
    "a-password-that-is-so-long-that-its-base64-does-not-fit-into-one-line-of-a-mail";

/// Starts a registry that lists one tag for requests with this `authorization`.
pub(super) fn guarded(scheme: &'static str, authorization: String) -> Server {
    Server::start(move |asked, _| {
        if asked.head.get("authorization") == Some(&authorization) {
            return Answer::body(r#"{"name":"x","tags":["1.0.0"]}"#);
        }
        Answer::status("401 Unauthorized").header("www-authenticate", scheme)
    })
}

fn basic() -> Server {
    let authorization = format!("Basic {}", BASE64.encode(format!("jane:{LONG}").as_bytes()));
    guarded("Basic realm=\"x\"", authorization)
}

fn config(environment: &Environment) -> PathBuf {
    let directory = environment.home().join(".docker");
    fs::create_dir_all(&directory).unwrap();
    directory.join("config.json")
}

fn tags(environment: &Environment, registry: &str) -> Outcome {
    environment.par(["tags", &format!("{registry}/x")])
}

/// Asserts that the client finds the credentials in a `config.json` with this content.
#[track_caller]
fn assert_read(registry: &str, content: impl AsRef<[u8]>) {
    let environment = Environment::new();
    fs::write(config(&environment), content).unwrap();
    assert_eq!(tags(&environment, registry).success().line(), "1.0.0");
}

#[test]
fn an_auth_with_line_ends_inside_is_read() {
    let registry = basic();
    let address = registry.address();
    let plain = format!("jane:{LONG}");
    for auth in [
        BASE64_MIME.encode(plain.as_bytes()),
        BASE64.encode(plain.as_bytes()) + "\n",
        BASE64.encode(format!("{plain}\n").as_bytes()),
        BASE64.encode(format!("{plain}\0\0").as_bytes()),
        BASE64
            .encode(plain.as_bytes())
            .trim_end_matches('=')
            .to_owned(),
    ] {
        assert_read(
            address,
            json!({ "auths": { address: { "auth": auth } } }).to_string(),
        );
    }
    let apart = json!({ "username": "jane", "password": LONG, "auth": "" });
    assert_read(address, json!({ "auths": { address: apart } }).to_string());
}

#[test]
fn a_file_in_another_encoding_of_unicode_is_read() {
    let registry = basic();
    let address = registry.address();
    let auth = BASE64.encode(format!("jane:{LONG}").as_bytes());
    let text = json!({ "auths": { address: { "auth": auth, "email": "é" } } }).to_string();
    assert_read(address, format!("\u{feff}{text}"));
    for bytes in [u16::to_le_bytes, u16::to_be_bytes] {
        let units = std::iter::once(0xFEFF).chain(text.encode_utf16());
        assert_read(address, units.flat_map(bytes).collect::<Vec<u8>>());
    }
}

#[test]
fn null_and_other_cases_of_names_are_read_as_docker_reads_them() {
    let registry = basic();
    let address = registry.address();
    let auth = BASE64.encode(format!("jane:{LONG}").as_bytes());
    let entries = json!({ address: { "Auth": auth, "identitytoken": null }, "other": null });
    let text = json!({
        "Auths": entries, "credHelpers": null, "credsStore": null, "HttpHeaders": 7, "unknown": [{}],
    });
    assert_read(address, text.to_string());
    // Of two fields with the same name, the last one is used.
    let twice = format!(r#"{{"auths": null, "auths": {entries}}}"#);
    assert_read(address, twice);

    // Nothing is stored.
    let environment = Environment::new();
    for nothing in ["", " \n", "null", r#"{"auths": null}"#] {
        fs::write(config(&environment), nothing).unwrap();
        let outcome = tags(&environment, address).exit(4);
        assert!(outcome.stderr.contains("requires credentials"), "{outcome}");
    }
}

#[test]
fn a_registry_is_found_under_the_keys_that_docker_accepts() {
    let registry = basic();
    let address = registry.address();
    let auth = BASE64.encode(format!("jane:{LONG}").as_bytes());
    for key in [
        format!("http://{address}"),
        format!("https://{address}/v1/"),
        format!("HTTP://{address}/v2/"),
        format!("{address}/"),
        format!("{address}/v1/"),
        format!("{address}/x"),
    ] {
        assert_read(
            address,
            json!({ "auths": { key: { "auth": auth } } }).to_string(),
        );
    }
}

#[test]
fn a_file_that_cannot_be_read_is_named_with_the_place_and_without_its_secrets() {
    let environment = Environment::new();
    let registry = basic();
    let address = registry.address();
    let path = config(&environment);
    for (content, said) in [
        ("{\"auths\": {\n// secret\n}}".to_owned(), "line 2, column"),
        (
            "{\"auths\": {\"secret\": {},}}".to_owned(),
            "line 1, column",
        ),
        (
            json!({ "auths": "secret" }).to_string(),
            "`auths` is not an object",
        ),
        (
            json!({ "auths": { address: "secret" } }).to_string(),
            "is not an object",
        ),
        (
            json!({ "auths": { address: { "auth": "secret!" } } }).to_string(),
            "not base64",
        ),
        (
            json!({ "auths": { address: { "auth": "c2VjcmV0" } } }).to_string(),
            "without a password",
        ),
        (json!({ "credsStore": ["secret"] }).to_string(), "not text"),
        ("\u{feff}{\"auths\": secret".to_owned(), "line 1, column"),
    ] {
        fs::write(&path, &content).unwrap();
        let outcome = tags(&environment, address).exit(4);
        assert!(outcome.stderr.contains(said), "{content}: {outcome}");
        assert!(outcome.stderr.contains("config.json"), "{outcome}");
        assert!(!outcome.stderr.contains("secret"), "{outcome}");
    }
}

#[test]
fn a_half_written_file_is_read_again() {
    let registry = basic();
    let address = registry.address();
    let auth = BASE64.encode(format!("jane:{LONG}").as_bytes());
    let text = json!({ "auths": { address: { "auth": auth } } }).to_string();
    let environment = Environment::new();
    let path = config(&environment);
    // A pipe gives each reader its own content: first half of the file, then all of it.
    let made = Command::new("mkfifo").arg(&path).status().unwrap();
    assert!(made.success());
    let half = text[..text.len() / 2].to_owned();
    // The thread ends with the test process.
    thread::spawn(move || {
        let mut shown = [half].into_iter().chain(iter::repeat(text));
        // Opening waits for a reader.
        while let Ok(mut pipe) = OpenOptions::new().write(true).open(&path) {
            let _ = pipe.write_all(shown.next().unwrap().as_bytes());
            drop(pipe);
            // The pause lasts until this reader has seen the end.
            thread::sleep(Duration::from_millis(20));
        }
    });
    assert_eq!(tags(&environment, address).success().line(), "1.0.0");
}

#[test]
fn a_pipe_in_the_place_of_a_hosts_file_is_refused_without_waiting() {
    let registry = basic();
    let address = registry.address();
    let environment = Environment::new();
    let hosts = environment.path("certs.d").join(address);
    fs::create_dir_all(&hosts).unwrap();
    let path = hosts.join("hosts.toml");
    let made = Command::new("mkfifo").arg(&path).status().unwrap();
    assert!(made.success());
    let repository = format!("{address}/x");
    let outcome = environment.par(["tags", &repository, "--hosts-dir", "certs.d"]);
    let outcome = outcome.exit(2);
    assert!(outcome.stderr.contains("a pipe, not a file"), "{outcome}");
    assert!(outcome.stderr.contains("hosts.toml"), "{outcome}");
}

#[test]
fn a_registry_token_is_sent_as_it_is() {
    let bearer = r#"Bearer realm="http://127.0.0.1:1/token",service="x""#;
    for scheme in [bearer, "Basic realm=\"x\""] {
        let registry = guarded(scheme, "Bearer the.token".to_owned());
        let address = registry.address();
        let entry =
            json!({ "registrytoken": "the.token", "identitytoken": "other", "auth": "eDp5" });
        assert_read(address, json!({ "auths": { address: entry } }).to_string());

        let environment = Environment::new();
        let old = json!({ "auths": { address: { "registrytoken": "old.token" } } });
        fs::write(config(&environment), old.to_string()).unwrap();
        let outcome = tags(&environment, address).exit(4);
        assert!(
            outcome.stderr.contains("the stored registry token"),
            "{outcome}"
        );
        assert!(!outcome.stderr.contains("old.token"), "{outcome}");
    }
}

#[test]
fn the_error_names_the_variable_with_the_path_of_a_file() {
    let environment = Environment::new();
    let registry = basic();
    let reference = registry.reference("x");
    let file = environment.write("config.json", "{}");
    let broken = environment.write("broken/config.json", "{");
    for (variable, value, code) in [
        ("DOCKER_CONFIG", file.as_path(), 2),
        ("DOCKER_CONFIG", broken.parent().unwrap(), 4),
        ("REGISTRY_AUTH_FILE", broken.as_path(), 4),
        ("REGISTRY_AUTH_FILE", broken.parent().unwrap(), 2),
        ("REGISTRY_AUTH_FILE", Path::new("nowhere.json"), 4),
    ] {
        let mut command = environment.command();
        command.env(variable, value).args(["tags", &reference]);
        let outcome = Outcome::of(command, b"").exit(code);
        assert!(outcome.stderr.contains(variable), "{outcome}");
    }
    // A user without a home directory has no such file.
    let mut command = environment.command();
    command.env("HOME", "/dev/null").args(["tags", &reference]);
    let outcome = Outcome::of(command, b"").exit(4);
    assert!(outcome.stderr.contains("none were found"), "{outcome}");
}
