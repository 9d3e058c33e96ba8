//! A fetch warns of executables that cannot start, and of no others. Each executable is really started.

use std::path::{Path, PathBuf};
use std::process::Command;

use wasmcloud_par::client::{HostProblem, host_problems};

use super::{compile, for_newer_library, pack, without_library, without_linker};
use crate::support::{Environment, Outcome};

/// Packs and fetches an executable. Returns what the fetch printed, and the path in the cache.
#[track_caller]
fn fetch(environment: &Environment, executable: &Path) -> (Outcome, PathBuf) {
    let (archive, _) = pack(environment, executable);
    let name = executable.file_name().unwrap().to_str().unwrap();
    let reference = format!(
        "oci-layout://{}:1.0.0",
        environment.path(&format!("{name}-layout")).display()
    );
    environment.par(["push", &reference, &archive]).success();
    let fetched = environment.par(["fetch", &reference]).success();
    let path = PathBuf::from(fetched.line());
    // The executable in the cache is examined, so the second fetch warns too.
    let again = environment
        .par(["fetch", &reference, "-o", "json"])
        .success();
    let warned: Vec<_> = again.json()["warnings"].as_array().unwrap().clone();
    let warned = warned
        .iter()
        .filter(|text| text.as_str().unwrap().contains("cannot be started"));
    assert_eq!(
        warned.count(),
        host_problems(&path).unwrap().len(),
        "{again}"
    );
    (fetched, path)
}

#[test]
fn executables_that_cannot_start_give_a_warning() {
    let environment = Environment::new();
    let (fetched, path) = fetch(&environment, &without_linker(&environment, "no-linker"));
    let said = "cannot be started: it needs /nonexistent/ld.so, which this machine does not have";
    assert!(fetched.stderr.contains(said), "{fetched}");
    let error = Command::new(&path).output().unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::NotFound);

    let (fetched, path) = fetch(&environment, &without_library(&environment, "no-library"));
    let said = "it needs the library libgreeting.so.1, which this machine does not have";
    assert!(fetched.stderr.contains(said), "{fetched}");
    assert_fails(&path, "libgreeting.so.1");

    let (fetched, path) = fetch(&environment, &for_newer_library(&environment, "newer"));
    assert!(
        fetched
            .stderr
            .contains("it needs GLIBC 2.99, and this machine has 2."),
        "{fetched}"
    );
    assert_fails(&path, "GLIBC_2.99");

    let script = environment.write("script", "#!/nonexistent/shell -e\n");
    let (fetched, path) = fetch(&environment, &script);
    assert!(
        fetched
            .stderr
            .contains("it needs /nonexistent/shell, which"),
        "{fetched}"
    );
    assert_eq!(
        Command::new(&path).output().unwrap_err().kind(),
        std::io::ErrorKind::NotFound
    );
}

#[track_caller]
fn assert_fails(path: &Path, said: &str) {
    let output = Command::new(path).output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(
        !output.status.success() && stderr.contains(said),
        "{stderr}"
    );
}

#[test]
fn executables_that_start_give_no_warning() {
    let environment = Environment::new();
    let cc = |arguments: &[&str], name| compile(&environment, "cc", arguments, name);
    let here = environment.path("");
    let here = format!("-Wl,-rpath,{}", here.display());
    without_library(&environment, "unused");
    let source = "int greet(void);\nint main(void) { return greet(); }\n";
    let found = super::compile_source(
        &environment,
        "cc",
        &["./libgreeting.so.1", &here],
        "found",
        source,
    );
    let executables = [
        cc(&[], "glibc"),
        cc(&["-static"], "static"),
        cc(&["-static-pie"], "static-pie"),
        cc(&["-lm", "-Wl,--no-as-needed"], "mathematics"),
        compile(&environment, "musl-gcc", &[], "musl"),
        compile(&environment, "musl-gcc", &["-static"], "musl-static"),
        environment.write("shell", "#!/bin/sh\nexit 0\n"),
        environment.write("searched", "#!/usr/bin/env sh\nexit 0\n"),
        found,
    ];
    for executable in executables {
        let (fetched, path) = fetch(&environment, &executable);
        assert_eq!(fetched.stderr, "", "{}", executable.display());
        let output = Command::new(&path).output().unwrap();
        assert!(
            output.status.success(),
            "{}: {output:?}",
            executable.display()
        );
    }
}

/// The programs of this machine start.
#[test]
fn the_programs_of_this_machine_have_no_problems() {
    for directory in ["/bin", "/usr/bin", "/usr/sbin"] {
        for entry in std::fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if let Ok(problems) = host_problems(&path) {
                assert_eq!(problems, [], "{}", path.display());
            }
        }
    }
}

#[test]
fn an_executable_for_another_processor_gives_a_warning() {
    let environment = Environment::new();
    let path = compile(&environment, "cc", &["-static"], "other");
    let mut bytes = std::fs::read(&path).unwrap();
    // The field e_machine. This crate has a name for s390x, but not for SPARC V9.
    bytes[18] = 22;
    std::fs::write(&path, bytes).unwrap();
    let started = Command::new(&path).output();
    let problems = host_problems(&path).unwrap();
    match started {
        // This machine has no emulator for that processor.
        Err(_) => assert!(
            matches!(&problems[..], [HostProblem::OtherMachine(made_for)] if made_for == "s390x"),
            "{problems:?}"
        ),
        Ok(_) => assert_eq!(problems, []),
    }
}
