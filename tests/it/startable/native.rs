//! Executables of this machine, whose facts are compared with those that `readelf` prints.

use std::path::{Path, PathBuf};
use std::process::Command;

use wasmcloud_par::archive::{ExecutableFacts, ExecutableFormat, Linking};

use super::{compile, for_newer_library, pack, run, without_library, without_linker};
use crate::support::Environment;

/// The facts that `readelf` prints.
#[derive(Debug, PartialEq)]
struct Said {
    interpreter: Option<String>,
    libraries: Vec<String>,
    glibc: Option<String>,
    debug: bool,
}

fn readelf(path: &Path) -> Said {
    let mut command = Command::new("readelf");
    command
        .args(["-W", "-l", "-d", "-V", "-S"])
        .arg(path)
        .env("LC_ALL", "C");
    let text = run(command, "readelf is in Debian's package binutils");
    let between = |line: &str, start: &str, end: char| {
        let rest = line.split_once(start)?.1;
        Some(rest.split(end).next()?.trim().to_owned())
    };
    let releases = text
        .lines()
        .filter_map(|line| between(line, "Name: GLIBC_", ' '));
    let numbers = |release: &String| -> Vec<u32> {
        release
            .split('.')
            .map(|part| part.parse().unwrap_or_default())
            .collect()
    };
    let mut lines = text.lines();
    Said {
        interpreter: lines.find_map(|line| between(line, "Requesting program interpreter: ", ']')),
        libraries: text
            .lines()
            .filter_map(|line| between(line, "Shared library: [", ']'))
            .collect(),
        glibc: releases.max_by_key(numbers),
        debug: text.lines().any(|line| line.contains(" .debug_info ")),
    }
}

#[track_caller]
fn assert_as_readelf(path: &Path) -> ExecutableFacts {
    let facts = ExecutableFacts::read(path).unwrap();
    assert_eq!(facts.format, ExecutableFormat::Elf);
    assert_eq!(facts.processors, [std::env::consts::ARCH]);
    let said = readelf(path);
    let is_dynamic = said.interpreter.is_some() || !said.libraries.is_empty();
    let linking = if is_dynamic {
        Linking::Dynamic
    } else {
        Linking::Static
    };
    assert_eq!(facts.linking, Some(linking), "{}", path.display());
    let ours = Said {
        interpreter: facts.interpreter.clone(),
        libraries: facts.libraries.clone(),
        glibc: facts.glibc.clone(),
        debug: facts.debug.unwrap(),
    };
    assert_eq!(ours, said, "{}", path.display());
    facts
}

/// Builds a Go program without the C library.
fn go(environment: &Environment) -> PathBuf {
    let source = environment.write(
        "main.go",
        "package main\n\nfunc main() { println(\"hello\") }\n",
    );
    let output = environment.path("go-static");
    let mut command = Command::new("go");
    command.args(["build", "-o"]).arg(&output).arg(&source);
    command.current_dir(environment.path(""));
    // With this cache, later runs need not compile Go's runtime again.
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("go");
    command
        .env("GOCACHE", &cache)
        .env("GOPATH", cache.join("path"));
    command
        .env("CGO_ENABLED", "0")
        .env("GOFLAGS", "-mod=mod")
        .env("GO111MODULE", "off");
    run(command, "scripts/requirements installs Go");
    output
}

#[test]
fn the_facts_are_those_that_readelf_prints() {
    let environment = Environment::new();
    let cc = |arguments: &[&str], name| compile(&environment, "cc", arguments, name);
    let musl = |arguments: &[&str], name| compile(&environment, "musl-gcc", arguments, name);
    let dynamic = assert_as_readelf(&cc(&[], "glibc"));
    assert_eq!(dynamic.libraries, ["libc.so.6"]);
    assert!(dynamic.is_for_glibc());
    let debug = assert_as_readelf(&cc(&["-g"], "debug"));
    assert_eq!(debug.debug, Some(true));
    let zipped = assert_as_readelf(&cc(&["-g", "-gz"], "zipped"));
    assert_eq!(zipped.debug, Some(true));
    let fixed = [
        assert_as_readelf(&cc(&["-static"], "static")),
        assert_as_readelf(&cc(&["-static-pie"], "static-pie")),
        assert_as_readelf(&musl(&["-static"], "musl-static")),
        assert_as_readelf(&go(&environment)),
    ];
    assert!(
        fixed
            .iter()
            .all(|facts| facts.linking == Some(Linking::Static))
    );
    let interpreter = assert_as_readelf(&musl(&[], "musl")).interpreter.unwrap();
    assert!(interpreter.starts_with("/lib/ld-musl-"), "{interpreter}");
    let missing = assert_as_readelf(&without_library(&environment, "missing"));
    assert_eq!(missing.libraries, ["libgreeting.so.1", "libc.so.6"]);
    let newer = assert_as_readelf(&for_newer_library(&environment, "newer"));
    assert_eq!(newer.glibc.as_deref(), Some("2.99"));
    assert_as_readelf(&without_linker(&environment, "no-linker"));
    let paths = cc(&["-Wl,-rpath,$ORIGIN/../lib:/opt/lib"], "paths");
    let paths = ExecutableFacts::read(&paths).unwrap().library_paths;
    assert_eq!(paths, ["$ORIGIN/../lib", "/opt/lib"]);
    // Large programs, with many symbols.
    assert_as_readelf(Path::new("/bin/sh"));
    assert_as_readelf(Path::new(env!("CARGO_BIN_EXE_par")));
}

#[test]
fn section_headers_are_not_needed() {
    let environment = Environment::new();
    let path = compile(&environment, "cc", &[], "program");
    let whole = ExecutableFacts::read(&path).unwrap();
    let mut bytes = std::fs::read(&path).unwrap();
    // e_shoff, and e_shnum and e_shstrndx.
    bytes[0x28..0x30].fill(0);
    bytes[0x3c..0x40].fill(0);
    std::fs::write(&path, bytes).unwrap();
    assert!(Command::new(&path).output().unwrap().status.success());
    assert_eq!(ExecutableFacts::read(&path).unwrap(), whole);
}

#[test]
fn packing_warns_only_of_requirements_that_hosts_may_lack() {
    let environment = Environment::new();
    let dynamic = compile(&environment, "cc", &[], "dynamic");
    let facts = ExecutableFacts::read(&dynamic).unwrap();
    let (archive, said) = pack(&environment, &dynamic);
    let needs = format!(
        "it needs {} and GLIBC {} or newer",
        facts.interpreter.unwrap(),
        facts.glibc.unwrap()
    );
    assert!(said.contains(&needs), "{said}");
    assert!(said.contains("built for musl"), "{said}");
    let musl = compile(&environment, "musl-gcc", &[], "musl");
    let line = ["insert", &archive, "-b", musl.to_str().unwrap()];
    let inserted = environment.par(line).success();
    assert!(
        inserted.stderr.contains("it needs /lib/ld-musl-"),
        "{inserted}"
    );
    let fixed = compile(&environment, "musl-gcc", &["-static"], "static");
    let (_, said) = pack(&environment, &fixed);
    assert!(!said.contains("warning"), "{said}");
}

#[test]
fn an_archive_is_shown_with_the_facts_of_its_executables() {
    let environment = Environment::new();
    let path = without_library(&environment, "provider");
    let facts = ExecutableFacts::read(&path).unwrap();
    let (archive, _) = pack(&environment, &path);
    // Read from its start to its end, and on all cores by its index.
    let whole = environment.path("whole.par");
    let bytes = std::fs::read(&archive).unwrap();
    let mut tar = Vec::new();
    std::io::copy(&mut flate2::read::GzDecoder::new(&*bytes), &mut tar).unwrap();
    std::fs::write(&whole, tar).unwrap();
    for file in [&*archive, whole.to_str().unwrap()] {
        let text = environment.par(["inspect", file]).success().stdout;
        let line = format!(
            "  Starting\n    {}-linux  {facts}\n",
            std::env::consts::ARCH
        );
        assert!(text.contains(&line), "{text}");
        let json = environment
            .par(["inspect", file, "-o", "json"])
            .success()
            .json();
        let shown = &json["executables"][0]["facts"];
        assert_eq!(shown["linking"], "dynamic");
        assert_eq!(shown["interpreter"], *facts.interpreter.as_ref().unwrap());
        assert_eq!(shown["glibc"], *facts.glibc.as_ref().unwrap());
        assert_eq!(shown["libraries"][0], "libgreeting.so.1");
        assert_eq!(shown["debug"], false);
    }
}
