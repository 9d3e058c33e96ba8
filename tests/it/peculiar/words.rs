//! Exit codes, and hints that fit the error.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;

use crate::support::{Answer, Environment, Outcome, Server, Unprivileged, shared_registry, unique};
use crate::transfer::{pack, par, push};

/// Commands that read the file `@`.
const READERS: [&[&str]; 17] = [
    &["push", "oci-layout://new:1", "./@"],
    &["verify", "./@"],
    &["inspect", "./@"],
    &["extract", "./@"],
    &["diff", "./@", "provider.par.gz"],
    &["insert", "./@", "-b", "/bin/true"],
    &["remove", "./@", "--target", "x86_64-linux"],
    &["sign", "./@"],
    &["create", "-n", "N", "-v", "V", "-b", "./@"],
    &[
        "create",
        "-n",
        "N",
        "-v",
        "V",
        "-b",
        "/bin/true",
        "--schema",
        "@",
    ],
    &[
        "create",
        "-n",
        "N",
        "-v",
        "V",
        "-b",
        "/bin/true",
        "--issuer",
        "./@",
    ],
    &["verify", "provider.par.gz", "--trust", "@"],
    &["lock", "@"],
    &["fetch", "oci-layout://layout:1", "--lock-file", "@"],
    &["push", "localhost:1/a:1", "provider.par.gz", "--ca", "@"],
    &[
        "push",
        "localhost:1/a:1",
        "provider.par.gz",
        "--client-cert",
        "@",
        "--client-key",
        "@",
    ],
    &[
        "push",
        "localhost:1/a:1",
        "provider.par.gz",
        "--client-cert",
        "provider.par.gz",
        "--client-key",
        "@",
    ],
];

#[test]
fn every_file_that_cannot_be_read_gives_the_same_exit_code() {
    let environment = Environment::new();
    let file = pack(&environment, "provider.par.gz", Path::new("/bin/echo"));
    push(&environment, "oci-layout://layout:1", &file);
    let secret = environment.write("unreadable", "");
    fs::set_permissions(&secret, Permissions::from_mode(0o000)).unwrap();
    let user = Unprivileged::new(&environment);
    for arguments in READERS {
        for (name, code) in [("missing", 3), ("unreadable", 4)] {
            let arguments: Vec<String> = arguments
                .iter()
                .map(|word| word.replace('@', name))
                .collect();
            let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            let outcome = Outcome::of(user.command(&arguments), b"").exit(code);
            assert!(outcome.stderr.contains(name), "{outcome}");
        }
    }
}

#[test]
fn every_missing_directory_gives_the_same_exit_code() {
    let environment = Environment::new();
    let create = ["create", "-n", "N", "-v", "V", "-b", "/bin/true"];
    let push = ["push", "localhost:1/a:1", "provider.par"];
    environment.write("provider.par", "");
    for (arguments, option) in [(&create[..], "--wit-directory"), (&push, "--hosts-dir")] {
        let more = [option, "missing"];
        let outcome = environment
            .par(arguments.iter().copied().chain(more))
            .exit(3);
        assert!(outcome.stderr.contains("missing"), "{outcome}");
    }
}

#[test]
fn a_push_into_a_directory_with_other_files_is_not_a_missing_layout() {
    let environment = Environment::new();
    pack(&environment, "provider.par", Path::new("/bin/echo"));
    environment.write("taken/file", "");
    for reference in ["oci-layout://taken:1", "oci-layout://provider.par:1"] {
        let refused = par(&environment, ["push", reference, "provider.par"]).exit(2);
        assert!(refused.stderr.contains("cannot become"), "{refused}");
    }
}

#[test]
fn a_name_that_is_too_long_is_said_to_be_too_long() {
    let environment = Environment::new();
    let cases = [
        (
            format!("localhost:1/a:{}", "1".repeat(129)),
            "tag",
            "129",
            "128",
        ),
        (
            format!("localhost:1/{}:1", "a".repeat(300)),
            "repository",
            "300",
            "255",
        ),
        (
            format!("{}.example/a:1", "a".repeat(300)),
            "host",
            "308",
            "253",
        ),
        (
            format!("{}.example/a:1", "a".repeat(64)),
            "part of the host",
            "64",
            "63",
        ),
        (
            format!("oci-layout://dir:{}", "1".repeat(200)),
            "tag",
            "200",
            "128",
        ),
    ];
    for (reference, part, length, limit) in &cases {
        let refused = par(&environment, ["fetch", reference]).exit(2);
        for expected in [*part, *length, *limit, "long"] {
            assert!(refused.stderr.contains(expected), "{refused}");
        }
    }
    let path = format!("./{}", "a".repeat(300));
    let refused = par(&environment, ["verify", &path]).exit(2);
    assert!(refused.stderr.contains("too long"), "{refused}");
    let tag = "1".repeat(129);
    let refused = par(&environment, ["tag", "localhost:1/a:1", &tag]).exit(2);
    assert!(refused.stderr.contains("129 bytes long"), "{refused}");
}

#[test]
fn a_plus_in_a_tag_hints_at_an_underscore() {
    let environment = Environment::new();
    for arguments in [
        &["fetch", "localhost:1/a:1.0.0+build"][..],
        &["tag", "localhost:1/a:1", "1.0.0+build"],
        &["pull", "oci-layout://layout:1.0.0+build"],
    ] {
        let refused = environment.par(arguments).exit(2);
        assert!(refused.stderr.contains("hint: "), "{refused}");
        assert!(refused.stderr.contains("1.0.0_build"), "{refused}");
    }
}

#[test]
fn a_bad_value_of_a_variable_names_the_variable() {
    let environment = Environment::new();
    let fetch = ["fetch", "localhost:1/a:1"];
    let create = ["create", "-n", "N", "-v", "V", "-b", "/bin/true"];
    for (variable, value, arguments, option) in [
        ("PAR_PATIENCE", "soon", &fetch[..], "--patience"),
        ("PAR_PATIENCE", "-1", &fetch, "--patience"),
        ("PAR_CONNECTIONS", "0", &fetch, "--connections"),
        ("PAR_PULL", "sometimes", &fetch, "--pull"),
        ("PAR_TRUST", "/nonexistent/policy", &fetch, ""),
        ("PAR_LOCK", "/nonexistent/lock", &fetch, ""),
        ("PAR_HOSTS_DIR", "/nonexistent/hosts", &fetch, ""),
        ("PAR_CACHE_DIR", "/dev/null", &fetch, ""),
        ("SOURCE_DATE_EPOCH", "yesterday", &create, "--"),
        ("WASH_JSON_SCHEMA", "/nonexistent/schema", &create, ""),
        ("WIT_DIR", "/nonexistent/wit", &create, ""),
        ("WASH_ISSUER_KEY", "/nonexistent/key", &create, ""),
    ] {
        let mut command = environment.command();
        command.env(variable, value).args(arguments);
        let refused = Outcome::of(command, b"");
        assert!([2, 3, 4].contains(&refused.code), "{refused}");
        assert!(refused.stderr.contains(variable), "{refused}");
        let first = refused.stderr.lines().next().unwrap();
        assert!(option.is_empty() || !first.contains(option), "{refused}");
    }
    // The option overrides the variable, and the message names it.
    let mut command = environment.command();
    command
        .env("PAR_PULL", "sometimes")
        .args(fetch)
        .args(["--pull", "seldom"]);
    let refused = Outcome::of(command, b"").exit(2);
    assert!(refused.stderr.contains("'seldom' for '--pull"), "{refused}");
}

/// Commands that print something without a registry.
const PRINTERS: [&[&str]; 8] = [
    &["--help"],
    &["-h"],
    &["--version"],
    &["push", "--help"],
    &["completions", "bash"],
    &["manual"],
    &["cache", "path"],
    &["-o", "json", "cache", "path"],
];

#[test]
fn an_answer_that_cannot_be_printed_is_an_error() {
    let environment = Environment::new();
    for arguments in PRINTERS {
        let mut command = environment.command();
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        command.args(arguments).stdout(full);
        let output = command.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {said}");
        assert!(said.contains("standard output"), "{arguments:?}: {said}");

        for quiet in [
            "exec \"$@\" >/dev/null",
            "exec \"$@\" 1<>/dev/null",
            "\"$@\" | true",
        ] {
            let output = through_shell(&environment, quiet, arguments);
            assert!(output.status.success(), "{quiet} {arguments:?}: {output:?}");
            assert_eq!(output.stderr, b"", "{quiet} {arguments:?}: {output:?}");
        }
    }
    // The error of the command is printed nevertheless.
    let failed = through_shell(
        &environment,
        "exec \"$@\" >/dev/full",
        &["verify", "./missing"],
    );
    assert_eq!(failed.status.code(), Some(3), "{failed:?}");
    assert!(String::from_utf8_lossy(&failed.stderr).contains("./missing"));
}

fn through_shell(
    environment: &Environment,
    script: &str,
    arguments: &[&str],
) -> std::process::Output {
    let mut command: Command = environment.command_for(Path::new("/bin/sh"));
    command.args(["-c", script, "sh", env!("CARGO_BIN_EXE_par")]);
    command.args(arguments).stdin(Stdio::null());
    command.output().unwrap()
}

#[test]
fn the_error_about_a_page_of_a_proxy_has_its_status() {
    let environment = Environment::new();
    for (status, words) in [
        ("413 Payload Too Large", "Payload Too Large"),
        ("414 URI Too Long", "URI Too Long"),
    ] {
        let page = "<html><body>nginx</body></html>";
        let server = Server::start(move |_, _| {
            Answer::status(status)
                .header("content-type", "text/html")
                .with_body(page)
        });
        let reference = server.reference("provider:1");
        let refused = par(&environment, ["pull", &reference]).exit(1);
        assert!(refused.stderr.contains(words), "{refused}");
        assert!(!refused.stderr.contains("web page"), "{refused}");
    }
}

#[test]
fn the_hint_about_deleting_is_only_for_deletes() {
    let environment = Environment::new();
    let file = pack(&environment, "provider.par", Path::new("/bin/echo"));
    let reference = format!("{}/{}:1", shared_registry(), unique("undeletable"));
    push(&environment, &reference, &file);
    let proxy = crate::support::proxy::Proxy::to(
        shared_registry(),
        ["DELETE", "POST"]
            .map(|method| {
                let refused = crate::support::proxy::Fault::status("405 Method Not Allowed");
                crate::support::proxy::Rule::on(method, "/v2/", refused)
            })
            .into(),
    );
    let name = reference.split_once('/').unwrap().1;
    let there = proxy.reference(name);
    let hint = "only delete when they are configured to";
    let deleted = par(&environment, ["delete", &there, "--force"]).exit(4);
    assert!(deleted.stderr.contains(hint), "{deleted}");
    let other = pack(&environment, "other.par", Path::new("/bin/true"));
    let pushed = par(&environment, ["push", &there, other.to_str().unwrap()]);
    assert!(
        pushed.code != 0 && !pushed.stderr.contains(hint),
        "{pushed}"
    );
}

#[test]
fn output_can_go_to_a_file() {
    let environment = Environment::new();
    let path = environment.path("help.txt");
    let mut command = environment.command();
    command.arg("--help").stdout(File::create(&path).unwrap());
    assert!(command.status().unwrap().success());
    assert!(fs::read_to_string(path).unwrap().contains("Usage:"));
}

#[test]
fn a_server_that_does_not_speak_http_is_asked_a_few_times_only() {
    let environment = Environment::new();
    let answers: [&[u8]; 3] = [b"SSH-2.0-x\r\n", b"\x15\x03\x01\x00\x02\x02\x46", b"<html>"];
    for answer in answers {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        thread::spawn(move || {
            let serve = |mut stream: TcpStream| {
                // The request is read first: closing the connection before would reset it.
                let _ = stream.read(&mut [0; 4096]);
                let _ = stream.write_all(answer);
            };
            listener.incoming().flatten().for_each(serve);
        });
        let outcome = environment.par(["tags", &format!("{address}/x")]).exit(6);
        assert!(outcome.stderr.contains(&address), "{outcome}");
        assert!(!outcome.stderr.contains("gave up"), "{outcome}");
    }
}

#[test]
fn the_hint_about_a_missing_registry_puts_it_after_the_scheme() {
    let outcome = Environment::new()
        .par(["resolve", "oci://provider:1"])
        .exit(2);
    assert!(outcome.stderr.contains("ghcr.io/provider:1"), "{outcome}");
}
