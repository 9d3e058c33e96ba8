//! `par extract`

use std::fs;
use std::os::unix::fs::FileTypeExt;

use wasmcloud_par::archive::Target;
use wasmcloud_par::content::Digest;

use super::super::{good_archive, mode};
use crate::support::Environment;
use crate::support::archives::{ArchiveBuilder, LINUX, MACOS};

#[test]
fn the_executable_of_a_target_is_written_with_permission_to_run() {
    let environment = Environment::new();
    good_archive(&environment, "echo.par.gz");
    for (target, executable) in [LINUX, MACOS] {
        let outcome = environment
            .par(["extract", "echo.par.gz", "--target", target])
            .success();
        let name = format!("echo-{target}");
        assert_eq!(outcome.line(), name);
        assert_eq!(outcome.stderr, "");
        assert_eq!(fs::read(environment.path(&name)).unwrap(), executable);
        assert_eq!(mode(&environment.path(&name)), 0o755);
    }
    assert_eq!(environment.files().len(), 3, "{:?}", environment.files());
}

#[test]
fn the_default_target_is_that_of_this_machine() {
    let environment = Environment::new();
    let host = Target::host();
    let bytes = ArchiveBuilder::empty()
        .executable("mips-linux.bin", b"not for here")
        .executable(&format!("{host}.bin"), b"for here")
        .build();
    environment.write("echo.par", bytes);
    let outcome = environment.par(["extract", "echo.par"]).success();
    assert_eq!(outcome.line(), format!("echo-{host}"));
    assert_eq!(
        fs::read(environment.path(outcome.line())).unwrap(),
        b"for here"
    );
}

#[test]
fn an_existing_destination_is_replaced_under_its_exact_name() {
    let environment = Environment::new();
    good_archive(&environment, "echo.par");
    let destination = environment.write("bin/provider.old", "another file");
    let arguments = ["extract", "echo.par", "--target", LINUX.0, "--destination"];
    let destination = destination.to_str().unwrap();
    let outcome = environment
        .par([&arguments[..], &[destination]].concat())
        .success();
    assert_eq!(outcome.line(), destination);
    assert_eq!(fs::read(destination).unwrap(), LINUX.1);
    assert_eq!(
        environment.files(),
        ["work/bin/provider.old", "work/echo.par"]
    );
}

#[test]
fn json_names_the_file_that_was_written() {
    let environment = Environment::new();
    good_archive(&environment, "echo.par");
    let arguments = ["extract", "echo.par", "--target", LINUX.0, "-o", "json"];
    let object = environment.par(arguments).success().json();
    assert_eq!(object["success"], true);
    assert_eq!(object["file"], "echo-x86_64-linux");
    assert_eq!(object["target"], LINUX.0);
    assert_eq!(object["digest"], Digest::of(LINUX.1).to_string());
    for key in ["issuer", "service"] {
        assert_eq!(object[key].as_str().unwrap().len(), 56, "{key}");
    }
}

#[test]
fn an_executable_that_is_claimed_but_absent_is_refused() {
    let environment = Environment::new();
    let bytes = ArchiveBuilder::empty()
        .executable("x86_64-linux.bin", LINUX.1)
        .hash(MACOS.0, MACOS.1)
        .build();
    environment.write("single.par", bytes);
    let outcome = environment
        .par(["extract", "single.par", "--target", MACOS.0])
        .exit(3);
    assert!(outcome.stderr.contains("aarch64-macos"), "{outcome}");
    assert!(outcome.stderr.contains("x86_64-linux"), "{outcome}");
    assert_eq!(environment.files(), ["work/single.par"]);
    environment
        .par(["extract", "single.par", "--target", LINUX.0])
        .success();
}

#[test]
fn a_running_program_can_be_replaced() {
    let environment = Environment::new();
    let shell = fs::read("/bin/sleep").unwrap();
    let bytes = ArchiveBuilder::empty()
        .executable("x86_64-linux.bin", &shell)
        .build();
    environment.write("sleep.par", bytes);
    let extract = ["extract", "sleep.par", "--target", LINUX.0];
    let path = environment.path(environment.par(extract).success().line());
    let mut running = std::process::Command::new(&path).arg("60").spawn().unwrap();
    let outcome = environment.par(extract);
    running.kill().unwrap();
    running.wait().unwrap();
    outcome.success();
}

#[test]
fn directories_devices_and_the_archive_itself_are_not_replaced() {
    let environment = Environment::new();
    good_archive(&environment, "echo.par");
    let before = fs::read(environment.path("echo.par")).unwrap();
    let pipe = environment.path("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    std::os::unix::fs::symlink("echo.par", environment.path("link")).unwrap();
    let extract = ["extract", "echo.par", "--target", LINUX.0, "--destination"];
    for (destination, why) in [
        ("pipe", "name a file, not a device or a pipe"),
        ("echo.par", "would replace the archive"),
        ("link", "would replace the archive"),
    ] {
        let outcome = environment
            .par([&extract[..], &[destination]].concat())
            .exit(2);
        assert!(outcome.stderr.contains(why), "{outcome}");
    }
    assert!(fs::metadata(&pipe).unwrap().file_type().is_fifo());
    assert_eq!(fs::read(environment.path("echo.par")).unwrap(), before);
    assert_eq!(environment.files().len(), 3, "{:?}", environment.files());
}
