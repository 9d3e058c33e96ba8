//! Executables that record their crates, by the real `cargo auditable`.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::{RUST, command, par, write_crate};
use crate::support::{Environment, Outcome};

#[test]
fn cargo_auditable_is_installed() {
    let found = Command::new("cargo-auditable").arg("--version").output();
    assert!(
        found.is_ok(),
        "these tests need cargo-auditable: install it, or run scripts/test"
    );
}

/// Writes a provider that depends on another crate.
fn write_project(environment: &Environment) {
    write_crate(
        environment,
        "",
        "small",
        "fn main() { print!(\"{}\", part::PART); }",
    );
    environment.write(
        "Cargo.toml",
        "[package]\nname = \"small\"\nversion = \"1.2.3\"\nedition = \"2021\"\n\
         [dependencies]\npart = { path = \"part\" }\n",
    );
    environment.write(
        "part/Cargo.toml",
        "[package]\nname = \"part\"\nversion = \"0.4.0\"\nedition = \"2021\"\n",
    );
    environment.write("part/src/lib.rs", "pub const PART: &str = \"part\";\n");
    environment.write("wasmcloud.toml", RUST);
}

/// Returns the names and versions of the packages in the bill of materials of the archive that was built.
#[track_caller]
fn packages(environment: &Environment) -> Vec<String> {
    let bill = par(environment, &["sbom", "build/small.par.gz"]).success();
    let bill: Value = serde_json::from_str(&bill.stdout).unwrap();
    let components = bill["components"].as_array().unwrap().iter();
    let libraries = components.filter(|component| component["type"] == "library");
    let named = libraries.map(|library| {
        let text = |key: &str| library[key].as_str().unwrap().to_owned();
        format!("{} {}", text("name"), text("version"))
    });
    let mut named: Vec<String> = named.collect();
    named.sort();
    named
}

#[test]
fn a_built_archive_lists_its_crates_where_cargo_auditable_is_installed() {
    let environment = Environment::new();
    write_project(&environment);
    par(&environment, &["build"]).success();
    assert_eq!(packages(&environment), ["part 0.4.0", "small 1.2.3"]);

    // Built in the same directory without `cargo auditable`, the executable has no record: cargo compiles again.
    par(&environment, &["build", "--no-auditable"]).success();
    par(&environment, &["sbom", "build/small.par.gz"]).exit(3);
}

#[cfg(unix)]
#[test]
fn without_cargo_auditable_the_build_succeeds_without_a_warning() {
    let environment = Environment::new();
    write_project(&environment);
    let mut build = command(&environment);
    build
        .arg("build")
        .env("PATH", without_auditable(&environment));
    let built = Outcome::of(build, b"").success();
    assert!(!built.stderr.contains("auditable"), "{built}");
    par(&environment, &["sbom", "build/small.par.gz"]).exit(3);
}

/// Returns a `PATH` without the directory that has `cargo-auditable`. The programs of Rust may be in that directory too.
#[cfg(unix)]
fn without_auditable(environment: &Environment) -> String {
    let path = std::env::var_os("PATH").unwrap();
    let directories: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let has = |directory: &Path, program: &str| directory.join(program).is_file();
    let links = environment.path("programs");
    std::fs::create_dir(&links).unwrap();
    for program in ["cargo", "rustc"] {
        let found = directories.iter().find(|directory| has(directory, program));
        std::os::unix::fs::symlink(found.unwrap().join(program), links.join(program)).unwrap();
    }
    let others = directories
        .into_iter()
        .filter(|directory| !has(directory, "cargo-auditable"));
    let all = std::env::join_paths([links].into_iter().chain(others)).unwrap();
    all.into_string().unwrap()
}

#[test]
fn a_compiler_that_is_not_cargo_does_not_get_the_command_auditable() {
    let environment = Environment::new();
    write_project(&environment);
    let script = "#!/bin/sh\necho \"$@\" >>arguments\nexec cargo \"$@\"\n";
    let script = environment.write("compile", script);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    environment.write(
        "wasmcloud.toml",
        format!("{RUST}rust.cargo_path = \"./compile\"\n"),
    );
    par(&environment, &["build"]).success();
    let arguments = std::fs::read_to_string(environment.path("arguments")).unwrap();
    let last = arguments.lines().last().unwrap();
    assert!(last.starts_with("build --release"), "{arguments}");
}
