//! Archives that must not be used, for every command that reads an archive from a file.

use data_encoding::BASE64URL_NOPAD;
use nkeys::KeyPair;

use super::Refusal;
use crate::support::archives::{ArchiveBuilder, LINUX, MACOS, VENDOR, gzip};
use crate::support::{Environment, shared_registry, unique};

/// An archive that every command refuses with exit code 5.
pub(super) struct BadArchive {
    name: &'static str,
    pub(super) bytes: Vec<u8>,
    /// The reason for which the archive is refused.
    pub(super) reason: &'static str,
    pub(super) hint: &'static str,
}

const CHANGED: &str = "was changed after signing";
const TRUNCATED: &str = "it is truncated";

pub(super) fn bad_archives() -> Vec<BadArchive> {
    let bad = |name, bytes, reason, hint| BadArchive {
        name,
        bytes,
        reason,
        hint,
    };
    let good = || ArchiveBuilder::two_targets();
    let forged = || good().token(with_another_vendor);
    let expired = || {
        good().payload(|payload| {
            payload.insert("exp".to_owned(), 1_700_000_001.into());
        })
    };
    let signature = "signature of its claims";
    let mut all = vec![
        bad("token", forged().build(), signature, "do not use"),
        bad(
            "token, gzip",
            forged().build_gzip(),
            signature,
            "do not use",
        ),
        bad(
            "signed by somebody else",
            good().signed_by(KeyPair::new_account()).build(),
            signature,
            "do not use",
        ),
        bad("binary", changed(LINUX.1), CHANGED, "do not use"),
        bad(
            "binary, gzip",
            gzip(&changed(LINUX.1)),
            CHANGED,
            "do not use",
        ),
        bad("another binary", changed(MACOS.1), CHANGED, "do not use"),
        bad(
            "not an archive",
            b"This is text and nothing else.\n".repeat(99),
            "it is not a provider archive",
            "par create",
        ),
        bad("empty", Vec::new(), "it is empty", "par create"),
        bad(
            "component",
            b"\0asm\x0d\0\x01\0".repeat(99),
            "a WebAssembly component",
            "wkg oci",
        ),
        bad(
            "module",
            b"\0asm\x01\0\0\0".to_vec(),
            "a WebAssembly component",
            "wkg oci",
        ),
        bad(
            "ZIP",
            b"PK\x03\x04\x14\0\0\0".repeat(99),
            "ZIP format of 2021",
            "par create",
        ),
        bad(
            "expired",
            expired().build(),
            "its claims expired",
            "newer archive",
        ),
        bad(
            "expired, gzip",
            expired().build_gzip(),
            "its claims expired",
            "newer archive",
        ),
    ];
    for bytes in [good().build(), good().build_gzip()] {
        let length = bytes.len();
        for length in [
            3,
            20,
            length / 3,
            length / 2,
            length - 600.min(length / 9),
            length - 1,
        ] {
            let bytes = bytes[..length].to_vec();
            all.push(bad("truncated", bytes, TRUNCATED, "get the archive again"));
        }
    }
    all
}

/// Returns the token with a claim that was changed after signing.
fn with_another_vendor(token: String) -> Vec<u8> {
    let parts: Vec<&str> = token.split('.').collect();
    let payload = String::from_utf8(BASE64URL_NOPAD.decode(parts[1].as_bytes()).unwrap()).unwrap();
    let forged = payload.replace(VENDOR, "Evil Vendor");
    assert_ne!(forged, payload);
    let forged = BASE64URL_NOPAD.encode(forged.as_bytes());
    [parts[0], &forged, parts[2]].join(".").into_bytes()
}

/// Returns the executable with one byte changed.
fn changed(executable: &[u8]) -> Vec<u8> {
    let mut bytes = ArchiveBuilder::two_targets().build();
    let at = bytes
        .windows(executable.len())
        .position(|part| part == executable)
        .unwrap();
    bytes[at + 5] ^= 1;
    bytes
}

#[test]
fn no_command_uses_a_bad_archive_in_a_file() {
    let environment = Environment::new();
    environment.write("provider", "an executable");
    let repository = format!("{}/{}", shared_registry(), unique("bad"));
    let reference = format!("{repository}:1");
    for bad in bad_archives() {
        environment.write("bad.par", &bad.bytes);
        let refusal = Refusal {
            code: 5,
            message: &["cannot use the archive", "bad.par", bad.reason],
            hint: bad.hint,
        };
        let commands: [&[&str]; 9] = [
            &["inspect", "bad.par"],
            &["inspect", "--jwt-only", "bad.par"],
            &["inspect", "--wit", "file://bad.par"],
            &["verify", "./bad.par"],
            &["extract", "bad.par", "--target", LINUX.0],
            &["extract", "bad.par", "--target", "arm-linux"],
            &["insert", "bad.par", "-b", "arm-linux=provider"],
            &[
                "insert",
                "bad.par",
                "-b",
                "arm-linux=provider",
                "--change-identity",
            ],
            &["push", &reference, "bad.par"],
        ];
        for command in commands {
            println!("{}: {command:?}", bad.name);
            refusal.of(&environment, command);
        }
    }
    // No unverified archive was pushed.
    Refusal {
        code: 3,
        message: &["does not have the", &repository],
        hint: "check the repository",
    }
    .of(&environment, &["pull", &reference]);
}

#[test]
fn a_bad_archive_on_standard_input_is_refused_like_a_file() {
    let environment = Environment::new();
    for bad in bad_archives() {
        let mut command = environment.command();
        command.args(["verify", "-"]);
        let outcome = crate::support::Outcome::of(command, &bad.bytes).exit(5);
        assert!(outcome.stderr.contains("on standard input"), "{outcome}");
        assert!(
            outcome.stderr.contains(bad.reason),
            "{}\n{outcome}",
            bad.name
        );
        assert_eq!(outcome.stdout, "");
    }
    assert_eq!(environment.files(), [""; 0]);
}

#[test]
fn the_error_about_a_missing_target_lists_the_existing_ones() {
    let environment = Environment::new();
    super::super::good_archive(&environment, "good.par");
    Refusal {
        code: 3,
        message: &[
            "good.par",
            "no executable for riscv64gc-linux",
            MACOS.0,
            LINUX.0,
        ],
        hint: "",
    }
    .of(
        &environment,
        &["extract", "good.par", "--target", "riscv64gc-linux"],
    );
}

#[test]
fn printing_the_world_needs_an_archive_with_a_world() {
    let environment = Environment::new();
    super::super::good_archive(&environment, "good.par");
    Refusal {
        code: 3,
        message: &["no WIT world"],
        hint: "--wit-directory",
    }
    .of(&environment, &["inspect", "good.par", "--wit"]);
}
