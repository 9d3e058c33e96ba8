//! Go modules.

use std::fs;

use super::{par, run_packed};
use crate::support::Environment;

const MAIN: &str =
    "package main\n\n//go:generate touch generated\n\nfunc main() { println(\"hello\") }\n";

/// Returns the name of this machine's processor in Go.
fn own_arch() -> &'static str {
    match std::env::consts::ARCH {
        "aarch64" => "arm64",
        "x86_64" => "amd64",
        other => other,
    }
}

#[test]
fn a_module_is_built_for_several_targets_in_one_run() {
    let environment = Environment::new();
    environment.write("go.mod", "module example.com/org/small-go/v2\n\ngo 1.19\n");
    environment.write("main.go", MAIN);
    let own = format!("linux/{}", own_arch());
    par(
        &environment,
        &["init", "--target", &own, "--target", "windows/386"],
    )
    .success();
    let file = fs::read_to_string(environment.path("wasmcloud.toml")).unwrap();
    assert!(file.contains("bin_name = \"small-go\""), "{file}");

    let built = par(&environment, &["build", "-o", "json"]).success().json();
    assert_eq!(built["file"], "build/small-go.par.gz");
    assert_eq!(built["name"], "small-go");
    assert_eq!(built["version"], "0.1.0");
    let own_target = format!("{}-linux", std::env::consts::ARCH);
    let mut expected = [own_target.as_str(), "x86-windows"];
    expected.sort_unstable();
    assert_eq!(built["targets"], serde_json::json!(expected));
    assert_eq!(built["executables"][1]["platform"], "windows/386");
    assert!(environment.path("build/x86-windows/small-go.exe").is_file());
    assert!(
        environment.path("generated").is_file(),
        "`go generate` did not run"
    );
    par(&environment, &["verify", "build/small-go.par.gz"]).success();
    let service = environment.home().join(".wash/keys/small-go_service.nk");
    assert!(service.is_file());
    if cfg!(target_os = "linux") {
        run_packed(&environment, "build/small-go.par.gz");
    }

    fs::remove_file(environment.path("generated")).unwrap();
    environment.write(
        "wasmcloud.toml",
        format!("{file}\n[go]\ndisable_go_generate = true\n"),
    );
    par(&environment, &["build", "--target", &own]).success();
    assert!(!environment.path("generated").exists());

    let unknown = par(&environment, &["build", "--target", "sparc64-linux"]).exit(2);
    assert!(unknown.stderr.contains("Go has no name"), "{unknown}");
    let tool = par(&environment, &["build", "--with", "cross"]).exit(2);
    assert!(tool.stderr.contains("leave out --with"), "{tool}");
}

#[test]
fn a_package_without_a_main_function_and_one_that_does_not_compile_are_refused() {
    let environment = Environment::new();
    environment.write("go.mod", "module example.com/lib\n\ngo 1.19\n");
    environment.write("lib.go", "package lib\n");
    let project = "type = \"provider\"\nlanguage = \"go\"\n";
    environment.write("wasmcloud.toml", project);
    let library = par(&environment, &["build"]).exit(2);
    assert!(
        library
            .stderr
            .contains("is `lib`, and only a package `main`"),
        "{library}"
    );

    environment.write("cmd/main.go", "package main\n\nfunc main() { missing() }\n");
    environment.write("wasmcloud.toml", format!("{project}path = \"cmd\"\n"));
    let broken = par(&environment, &["build"]).exit(1);
    assert!(broken.stderr.contains("undefined: missing"), "{broken}");
    assert!(
        broken.stderr.lines().last().unwrap().contains("go failed"),
        "{broken}"
    );
    assert!(!environment.home().join(".wash").exists());
}
