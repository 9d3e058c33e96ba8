//! Crates and workspaces.

use std::fs;

use super::{RUST, command, par, run_packed, write_crate};
use crate::support::{Environment, Outcome};

const HELLO: &str = "fn main() { println!(\"hello\"); }\n";

#[test]
fn a_crate_with_hyphens_becomes_an_archive_with_the_claims_of_wash() {
    let environment = Environment::new();
    write_crate(&environment, "", "key-value", HELLO);
    par(&environment, &["init", "--vendor", "Example"]).success();

    let built = par(&environment, &["build", "-o", "json"]).success();
    assert!(built.stderr.contains("Compiling key-value"), "{built}");
    let answer = built.json();
    assert_eq!(answer["file"], "build/key-value.par.gz");
    assert_eq!(answer["executables"][0]["target"], host().as_str());
    let keys = answer["generated_keys"].as_array().unwrap();
    let keys: Vec<&str> = keys
        .iter()
        .map(|key| key["path"].as_str().unwrap())
        .collect();
    assert!(
        keys[0].ends_with("/.wash/keys/tester_account.nk"),
        "{keys:?}"
    );
    assert!(
        keys[1].ends_with("/.wash/keys/key-value_service.nk"),
        "{keys:?}"
    );

    let file = "build/key-value.par.gz";
    par(&environment, &["verify", file]).success();
    let claims = par(&environment, &["inspect", file, "-o", "json"])
        .success()
        .json();
    assert_eq!(claims["name"], "key-value");
    assert_eq!(claims["vendor"], "Example");
    assert_eq!(claims["version"], "1.2.3");
    assert_eq!(claims["revision"], "0");
    assert_eq!(claims["service"], answer["service"]);
    assert_eq!(run_packed(&environment, file), "hello\n");

    // The next build has the same keys, and prints only the path.
    let again = par(
        &environment,
        &["build", "--revision", "2", "--version", "v"],
    )
    .success();
    assert_eq!(again.line(), file);
    let claims = par(&environment, &["inspect", file, "-o", "json"])
        .success()
        .json();
    assert_eq!(claims["service"], answer["service"]);
    assert_eq!(
        (&claims["revision"], &claims["version"]),
        (&"2".into(), &"v".into())
    );
}

/// Returns the target of this machine.
fn host() -> String {
    format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS)
}

/// Returns the triple of this machine, which rustc prints.
fn host_triple() -> String {
    let output = std::process::Command::new("rustc")
        .arg("-vV")
        .output()
        .unwrap();
    let output = String::from_utf8(output.stdout).unwrap();
    let line = output.lines().find_map(|line| line.strip_prefix("host: "));
    line.unwrap().to_owned()
}

/// A workspace with two binaries. `CARGO_TARGET_DIR`, `.cargo/config.toml` and `build.target` decide where the
/// executable is.
#[test]
fn in_a_workspace_the_named_binary_is_found_wherever_cargo_puts_it() {
    let environment = Environment::new();
    environment.write(
        "Cargo.toml",
        "[workspace]\nmembers = [\"one\", \"two\"]\nresolver = \"2\"\n",
    );
    write_crate(&environment, "one", "one", "fn main() { print!(\"one\"); }");
    write_crate(&environment, "two", "two", "fn main() { print!(\"two\"); }");
    environment.write("wasmcloud.toml", RUST);

    let unclear = par(&environment, &["build"]).exit(2);
    assert!(
        unclear
            .stderr
            .contains("there are several binaries: one, two"),
        "{unclear}"
    );
    assert!(unclear.stderr.contains("bin_name"), "{unclear}");
    let absent = par(&environment, &["build", "--bin", "three"]).exit(3);
    assert!(absent.stderr.contains("name one of: one, two"), "{absent}");

    environment.write(
        "wasmcloud.toml",
        format!("{RUST}provider.bin_name = \"two\"\n"),
    );
    let mut elsewhere = command(&environment);
    elsewhere
        .arg("build")
        .env("CARGO_TARGET_DIR", environment.path("elsewhere"));
    let built = Outcome::of(elsewhere, b"").success();
    assert_eq!(built.line(), "build/two.par.gz");
    assert_eq!(run_packed(&environment, "build/two.par.gz"), "two");
    assert!(environment.path("elsewhere/release/two").is_file());
    assert!(!environment.path("elsewhere/release/one").exists());
    assert!(!environment.path("target").exists());

    let configured = format!(
        "build = {{ target-dir = 'third', target = '{}' }}\n",
        host_triple()
    );
    environment.write(".cargo/config.toml", configured);
    environment.write("wasmcloud.toml", format!("{RUST}path = \"one\"\n"));
    let built = par(&environment, &["build", "-o", "json", "--debug"])
        .success()
        .json();
    assert_eq!(built["file"], "one/build/one.par.gz");
    assert_eq!(built["executables"][0]["platform"], host_triple().as_str());
    assert_eq!(built["targets"], serde_json::json!([host()]));
    assert!(
        environment
            .path("third")
            .join(host_triple())
            .join("debug/one")
            .is_file()
    );
    assert_eq!(run_packed(&environment, "one/build/one.par.gz"), "one");
}

#[test]
fn a_failed_build_prints_one_line_after_the_messages_of_the_compiler_and_leaves_no_files() {
    let environment = Environment::new();
    write_crate(&environment, "", "broken", "fn main() { missing(); }");
    environment.write("wasmcloud.toml", RUST);
    let failed = par(&environment, &["build"]).exit(1);
    assert!(
        failed.stderr.contains("cannot find function `missing`"),
        "{failed}"
    );
    let last = failed.stderr.lines().last().unwrap();
    assert!(last.starts_with("error: the build for "), "{failed}");
    assert!(last.contains("cargo failed: exit status: 101"), "{failed}");
    assert_eq!(failed.stdout, "");
    assert!(!environment.path("build").exists());
    assert!(!environment.home().join(".wash").exists());

    // With a log of JSON objects, the lines of the compiler are objects, too.
    let failed = par(&environment, &["build", "--log-format", "json"]).exit(1);
    for line in failed.stderr.lines() {
        serde_json::from_str::<serde_json::Value>(line).unwrap();
    }
    assert!(failed.stderr.contains("cannot find function"), "{failed}");
}

#[test]
fn a_quiet_build_shows_the_errors_of_the_compiler() {
    let environment = Environment::new();
    write_crate(&environment, "", "broken", "fn main() { missing(); }");
    environment.write("wasmcloud.toml", RUST);
    for format in ["text", "json"] {
        let build = ["build", "--quiet", "--log-format", format];
        let failed = par(&environment, &build).exit(1);
        assert!(failed.stderr.contains("cannot find function"), "{failed}");
        assert!(!failed.stderr.contains("Compiling"), "{failed}");
    }
}

/// The build script is code of others, as in a dependency.
#[test]
fn compilers_do_not_get_the_secrets_of_the_publisher() {
    let environment = Environment::new();
    write_crate(&environment, "", "small", HELLO);
    environment.write("wasmcloud.toml", RUST);
    let key = |kind, byte| nkeys::KeyPair::new_from_raw(kind, [byte; 32]).unwrap();
    let issuer = key(nkeys::KeyPairType::Account, 7).seed().unwrap();
    let subject = key(nkeys::KeyPairType::Service, 8).seed().unwrap();
    let secrets = [
        ("WASH_ISSUER_KEY", issuer.as_str()),
        ("WASH_SUBJECT_KEY", subject.as_str()),
        ("WASH_REG_PASSWORD", "secret"),
        ("WASMCLOUD_OCI_REGISTRY_PASSWORD", "secret"),
        ("SIGSTORE_ID_TOKEN", "secret"),
        ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "secret"),
    ];
    let names = secrets.map(|(name, _)| name);
    let script = format!(
        "fn main() {{\n\
         for name in {names:?} {{ assert!(std::env::var_os(name).is_none(), \"{{name}} is set\"); }}\n\
         assert_eq!(std::env::var(\"OF_THE_BUILD\").unwrap(), \"passed on\");\n}}\n"
    );
    environment.write("build.rs", script);
    let mut build = command(&environment);
    build
        .arg("build")
        .envs(secrets)
        .env("OF_THE_BUILD", "passed on");
    Outcome::of(build, b"").success();
}

#[test]
fn targets_that_are_not_installed_are_reported_before_anything_is_compiled() {
    let environment = Environment::new();
    write_crate(&environment, "", "small", HELLO);
    environment.write(
        "wasmcloud.toml",
        format!("{RUST}provider.rust_target = \"sparc64-unknown-linux-gnu\"\n"),
    );
    let refused = par(&environment, &["build"]).exit(3);
    let hint = "hint: run `rustup target add sparc64-unknown-linux-gnu`\n";
    assert!(refused.stderr.ends_with(hint), "{refused}");
    assert!(!environment.path("target").exists());

    let several = [
        "build",
        "--target",
        "s390x-linux",
        "--target",
        "sparc64-unknown-linux-gnu",
    ];
    let refused = par(&environment, &several).exit(3);
    let hint = "hint: run `rustup target add s390x-unknown-linux-musl sparc64-unknown-linux-gnu`\n";
    assert!(refused.stderr.ends_with(hint), "{refused}");

    let unknown = par(
        &environment,
        &["build", "--target", "x86_64-none-linux-none"],
    )
    .exit(2);
    assert!(
        unknown.stderr.contains("rustc knows no target"),
        "{unknown}"
    );
    par(&environment, &["build", "--target", "wasm32-wasip1"]).exit(2);

    // An archive has one executable for each label.
    let twice = ["build", "--target", &host_triple(), "--target", &host()];
    let refused = par(&environment, &twice).exit(2);
    assert!(
        refused.stderr.contains("one executable for each target"),
        "{refused}"
    );
}

#[test]
fn another_directory_gives_the_same_bytes_and_the_user_s_flags_stay() {
    let archive = |directory: &str| {
        let environment = Environment::new();
        let main = "fn main() { assert!(std::env::args().count() < 9);\n\
                    print!(\"{}\", if cfg!(kept) { \"kept\" } else { \"lost\" }); }";
        write_crate(&environment, directory, "same", main);
        let project = format!("{RUST}path = \"{directory}\"\nbuild = \"build\"\n");
        environment.write("wasmcloud.toml", project);
        let config = "build.rustflags = ['--cfg', 'kept', '-A', 'unexpected_cfgs']\n";
        environment.write(&format!("{directory}/.cargo/config.toml"), config);
        let mut command = command(&environment);
        let key = |kind, byte| nkeys::KeyPair::new_from_raw(kind, [byte; 32]).unwrap();
        let issuer = key(nkeys::KeyPairType::Account, 7);
        let subject = key(nkeys::KeyPairType::Service, 8);
        command.env("WASH_ISSUER_KEY", issuer.seed().unwrap());
        command.env("WASH_SUBJECT_KEY", subject.public_key());
        command.arg("build").env("SOURCE_DATE_EPOCH", "1700000000");
        Outcome::of(command, b"").success();
        assert_eq!(run_packed(&environment, "build/same.par.gz"), "kept");
        let executable = fs::read(environment.path("extracted")).unwrap();
        let root = environment.path("").display().to_string();
        let root = root.trim_end_matches('/').as_bytes();
        let found = executable.windows(root.len()).any(|window| window == root);
        assert!(!found, "the executable has the path of the project");
        fs::read(environment.path("build/same.par.gz")).unwrap()
    };
    assert!(
        archive("first") == archive("another-directory"),
        "the bytes differ"
    );
}

/// The tool is a script that calls cargo, in place of a real tool, which would need a network.
#[cfg(unix)]
#[test]
fn the_program_of_the_option_with_compiles() {
    use std::os::unix::fs::PermissionsExt;
    let environment = Environment::new();
    write_crate(&environment, "", "small", HELLO);
    environment.write("wasmcloud.toml", RUST);
    let absent = par(&environment, &["build", "--with", "cross"]).exit(3);
    assert!(absent.stderr.contains("cargo install cross"), "{absent}");

    let script = "#!/bin/sh\necho \"$@\" >zigbuild-arguments\nshift\nexec cargo build \"$@\"\n";
    let script = environment.write("bin/cargo-zigbuild", script);
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    let mut command = command(&environment);
    let path = std::env::var("PATH").unwrap();
    let bin = environment.path("bin").display().to_string();
    command.env("PATH", format!("{bin}:{path}"));
    command.args([
        "build",
        "--with",
        "cargo-zigbuild",
        "--target",
        &host_triple(),
        "--",
        "--offline",
    ]);
    Outcome::of(command, b"").success();
    let arguments = fs::read_to_string(environment.path("zigbuild-arguments")).unwrap();
    assert!(arguments.starts_with("zigbuild --release"), "{arguments}");
    assert!(arguments.trim_end().ends_with(" --offline"), "{arguments}");
    assert_eq!(run_packed(&environment, "build/small.par.gz"), "hello\n");
}
