//! `par push REF -`: an archive from a pipe.

use std::fs::File;
use std::process::Stdio;

use super::push_steps::assert_only_asked;
use super::{Outcome, digest, pack_noise, par, peer, push, requests_about};
use crate::support::archives::ArchiveBuilder;
use crate::support::{Environment, Registry};

fn push_pipe(environment: &Environment, reference: &str, bytes: &[u8]) -> Outcome {
    let mut command = environment.command();
    command.args(["push", reference, "-"]);
    Outcome::of(command, bytes)
}

/// Returns all files except the notes about the repositories of content.
fn left(environment: &Environment) -> Vec<String> {
    let mut files = environment.files();
    files.retain(|file| !file.contains("/v1/places/"));
    files
}

#[test]
fn an_archive_from_a_pipe_is_pushed_as_a_file_is() {
    let (environment, registry) = (Environment::new(), Registry::start());
    for name in ["provider.par", "provider.par.gz"] {
        let file = pack_noise(&environment, name, 3 << 20);
        let bytes = std::fs::read(&file).unwrap();
        let reference = registry.reference("org/provider:piped");
        let before = left(&environment);
        let outcome = push_pipe(&environment, &reference, &bytes).success();
        let moved = outcome.stderr.starts_with("piped: sha256:");
        assert_eq!(moved, name == "provider.par.gz", "{outcome}");
        assert_eq!(left(&environment), before, "nothing is left behind");
        let pulled = peer::pull(&reference);
        assert_eq!(pulled.layers[0].data, bytes);
        // The file gets the name that a pipe has by default.
        let filed = push(
            &environment,
            &registry.reference("org/provider:filed"),
            &file,
        );
        assert_eq!(pulled.digest, Some(filed), "the same manifest");
    }
}

#[test]
fn blobs_that_the_registry_has_are_not_sent_again_from_a_pipe() {
    let (environment, registry) = (Environment::new(), Registry::start());
    let file = pack_noise(&environment, "provider.par", 1 << 20);
    let reference = registry.reference("provider:1.0.0");
    push(&environment, &reference, &file);
    let uploads = requests_about(&registry, "PUT", &digest(&file).replace(':', "%3A"));
    push_pipe(&environment, &reference, &std::fs::read(&file).unwrap()).success();
    let again = requests_about(&registry, "PUT", &digest(&file).replace(':', "%3A"));
    assert_eq!((uploads, again), (1, 1));
}

#[test]
fn nothing_of_a_pipe_without_a_valid_archive_is_sent_or_kept() {
    let (environment, registry) = (Environment::new(), Registry::start());
    let good = ArchiveBuilder::two_targets().build_gzip();
    let mut changed = ArchiveBuilder::two_targets().build();
    let position = changed.len() - 1024 - 512;
    changed[position] ^= 1;
    let behind = [good.as_slice(), b"more"].concat();
    for bytes in [
        &b""[..],
        b"text",
        &good[..good.len() - 9],
        &changed,
        &behind,
    ] {
        let before = registry.requests().len();
        let outcome = push_pipe(&environment, &registry.reference("provider:1"), bytes).exit(5);
        assert!(outcome.stderr.contains("on standard input"), "{outcome}");
        assert_eq!(environment.files(), [""; 0]);
        assert_only_asked(&registry.requests().split_off(before));
    }
}

#[test]
fn an_endless_pipe_is_refused_at_once() {
    let environment = Environment::new();
    let mut command = environment.command();
    command
        .args(["push", "oci-layout://layout:1", "-"])
        .stdin(Stdio::from(File::open("/dev/urandom").unwrap()));
    assert_eq!(command.output().unwrap().status.code(), Some(5));
    assert_eq!(environment.files(), [""; 0]);
}

#[test]
fn a_terminal_is_refused_as_standard_input() {
    let environment = Environment::new();
    for arguments in [
        &["push", "oci-layout://layout:1", "-"][..],
        &["verify", "-"],
    ] {
        // This is the other side of a terminal, which also counts as a terminal.
        let terminal = File::options()
            .read(true)
            .write(true)
            .open("/dev/ptmx")
            .unwrap();
        let mut command = environment.command();
        command.args(arguments).stdin(Stdio::from(terminal));
        let output = command.output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(stderr.contains("standard input is a terminal"), "{stderr}");
    }
    assert_eq!(environment.files(), [""; 0]);
}

#[test]
fn an_archive_from_a_pipe_is_pushed_to_an_image_layout() {
    let environment = Environment::new();
    let bytes = ArchiveBuilder::two_targets().build();
    push_pipe(&environment, "oci-layout://layout:1", &bytes).success();
    par(
        &environment,
        ["pull", "oci-layout://layout:1", "--destination", "out.par"],
    )
    .success();
    assert_eq!(std::fs::read(environment.path("out.par")).unwrap(), bytes);
}
