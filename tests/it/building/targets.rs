//! Several Rust targets in one run, and executables that do not fit their target.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::{RUST, par, run_packed, write_crate};
use crate::support::Environment;

const HELLO: &str = "fn main() { println!(\"hello\"); }\n";

/// Returns the processor whose target for musl is installed besides that of this machine.
fn other_processor() -> &'static str {
    if std::env::consts::ARCH == "x86_64" {
        "aarch64"
    } else {
        "x86_64"
    }
}

/// Rust links for another processor with its own linker, because its musl targets bring the C library.
#[test]
fn two_rust_targets_are_built_in_one_run() {
    let environment = Environment::new();
    write_crate(&environment, "", "small", HELLO);
    let (own, other) = (std::env::consts::ARCH, other_processor());
    environment.write(
        ".cargo/config.toml",
        format!("target.{other}-unknown-linux-musl.linker = 'rust-lld'\n"),
    );
    environment.write(
        "wasmcloud.toml",
        format!("{RUST}provider.targets = [\"{own}-linux\", \"{other}-unknown-linux-musl\"]\n"),
    );
    let built = par(&environment, &["build", "-o", "json"]).success().json();
    let mut targets = [format!("{own}-linux"), format!("{other}-linux")];
    targets.sort_unstable();
    assert_eq!(built["targets"], serde_json::json!(targets));
    let executables = built["executables"].as_array().unwrap();
    for (made, processor) in executables.iter().zip([own, other]) {
        // The targets for glibc and for musl are installed. For `arch-os`, the static one is chosen.
        assert_eq!(made["platform"], format!("{processor}-unknown-linux-musl"));
        assert_eq!(made["target"], format!("{processor}-linux"));
    }
    let archive = "build/small.par.gz";
    let inspected = par(&environment, &["inspect", archive, "-o", "json"])
        .success()
        .json();
    for executable in inspected["executables"].as_array().unwrap() {
        let facts = &executable["facts"];
        let processor = executable["target"].as_str().unwrap();
        let processor = processor.strip_suffix("-linux").unwrap();
        assert_eq!(facts["processors"], serde_json::json!([processor]));
        assert_eq!(facts["linking"], "static", "{inspected}");
    }
    assert_eq!(run_packed(&environment, archive), "hello\n");
    // Both executables have the record of cargo auditable.
    let bill = par(&environment, &["sbom", archive]).success();
    for target in targets {
        assert!(bill.stdout.contains(&target), "{bill}");
    }
}

/// The linker of the project is wrongly configured: it writes a file for another processor.
#[test]
fn an_executable_that_is_not_for_its_target_is_not_packed() {
    let environment = Environment::new();
    write_crate(&environment, "", "small", HELLO);
    environment.write("wasmcloud.toml", RUST);
    // The number of the processor is in bytes 18 and 19 of the header: 258 is LoongArch.
    let linker = "#!/bin/sh\nset -eu\ncc \"$@\"\n\
                  while [ \"$1\" != -o ]; do shift; done\n\
                  printf '\\002\\001' | dd of=\"$2\" bs=1 seek=18 conv=notrunc 2>/dev/null\n";
    let linker = environment.write("linker", linker);
    fs::set_permissions(&linker, fs::Permissions::from_mode(0o755)).unwrap();
    let path = linker.display();
    environment.write(
        ".cargo/config.toml",
        format!("target.'cfg(all())'.linker = '{path}'\n"),
    );
    let refused = par(&environment, &["build"]).exit(1);
    let last = refused.stderr.lines().last().unwrap();
    let own = std::env::consts::ARCH;
    assert!(
        last.starts_with(&format!("error: the build for {own}-linux made ")),
        "{refused}"
    );
    assert!(
        last.ends_with("but it is an ELF file (Linux, FreeBSD, Android) for loongarch64"),
        "{refused}"
    );
    assert_eq!(refused.stdout, "");
    assert!(!environment.path("build").exists());
    assert!(!environment.home().join(".wash").exists());
}
