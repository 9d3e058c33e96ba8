//! Executables for macOS and Windows: `tests/fixtures/executables/README.md` says how they were made.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Command;

use flate2::read::GzDecoder;
use wasmcloud_par::archive::{ExecutableFacts, ExecutableFormat, Linking};

use super::run;
use crate::support::Environment;

/// Unpacks an executable. Returns its path.
fn unpack(environment: &Environment, name: &str) -> PathBuf {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/executables");
    let packed = std::fs::read(directory.join(format!("{name}.gz"))).unwrap();
    let mut bytes = Vec::new();
    GzDecoder::new(&*packed).read_to_end(&mut bytes).unwrap();
    environment.write(name, bytes)
}

#[test]
fn the_facts_of_executables_for_macos_have_the_system_and_the_signature() {
    let environment = Environment::new();
    let system = ["/usr/lib/libSystem.B.dylib"];
    let arm = ExecutableFacts::read(&unpack(&environment, "aarch64-macos")).unwrap();
    assert_eq!(arm.format, ExecutableFormat::MachO);
    assert_eq!(arm.processors, ["aarch64"]);
    assert_eq!(arm.signed, Some(true));
    assert_eq!(arm.macos.as_deref(), Some("15.0"));
    assert_eq!(arm.libraries, system);
    assert_eq!(
        (arm.linking, arm.debug),
        (Some(Linking::Dynamic), Some(false))
    );
    let intel = ExecutableFacts::read(&unpack(&environment, "x86_64-macos")).unwrap();
    assert_eq!(intel.processors, ["x86_64"]);
    assert_eq!(intel.signed, Some(false));
    assert_eq!(intel.macos.as_deref(), Some("15.0"));
    assert_eq!(intel.libraries, system);
}

#[test]
fn packing_warns_of_an_unsigned_executable_for_macos_on_arm64_only() {
    let environment = Environment::new();
    let signed = unpack(&environment, "aarch64-macos");
    let mut bytes = std::fs::read(&signed).unwrap();
    let command = [0x1d, 0, 0, 0, 16, 0, 0, 0];
    let at = bytes
        .windows(8)
        .position(|window| window == command)
        .unwrap();
    // This is the size of the signature.
    bytes[at + 12..at + 16].fill(0);
    let unsigned = environment.write("unsigned", bytes);
    let intel = unpack(&environment, "x86_64-macos");
    for (target, path, is_warned) in [
        ("aarch64-macos", &signed, false),
        ("aarch64-macos", &unsigned, true),
        ("x86_64-macos", &intel, false),
    ] {
        let binary = format!("{target}={}", path.display());
        let line = [
            "create",
            "-n",
            "x",
            "-v",
            "y",
            "--keygen",
            "--destination",
            "x.par",
            "-b",
            &binary,
        ];
        let packed = environment.par(line).success();
        assert_eq!(
            packed.stderr.contains("no code signature"),
            is_warned,
            "{packed}"
        );
    }
}

#[test]
fn executables_for_windows_name_their_libraries_as_objdump_does() {
    let environment = Environment::new();
    let path = unpack(&environment, "x86_64-windows");
    let facts = ExecutableFacts::read(&path).unwrap();
    assert_eq!(facts.format, ExecutableFormat::Pe);
    assert_eq!(facts.processors, ["x86_64"]);
    assert_eq!(facts.linking, Some(Linking::Dynamic));
    assert_eq!(facts.debug, Some(false));
    let mut command = Command::new("objdump");
    command.arg("-p").arg(&path);
    let text = run(command, "objdump is in Debian's package binutils");
    let names = text
        .lines()
        .filter_map(|line| line.trim().strip_prefix("DLL Name: "));
    assert_eq!(facts.libraries, names.collect::<Vec<_>>());
    assert!(!facts.libraries.is_empty());
}
