//! Files and folders that are missing, or are not what they should be.

use super::super::good_archive;
use super::Refusal;
use crate::support::archives::LINUX;
use crate::support::{Environment, shared_registry, unique};

#[test]
fn a_missing_archive_is_not_found() {
    let environment = Environment::new();
    environment.write("provider", "an executable");
    let reference = format!("{}/{}:1", shared_registry(), unique("missing"));
    let commands: [&[&str]; 6] = [
        &["inspect", "missing.par"],
        &["verify", "./missing.par"],
        &["extract", "missing.par"],
        &["insert", "missing.par", "-b", "provider"],
        &["push", &reference, "missing.par"],
        &["push", &reference, "missing"],
    ];
    for command in commands {
        Refusal {
            code: 3,
            message: &["missing", "No such file"],
            hint: "",
        }
        .of(&environment, command);
    }
}

#[test]
fn a_word_that_is_neither_a_file_nor_a_reference_is_told_to_be_neither() {
    let environment = Environment::new();
    for command in ["inspect", "verify", "extract"] {
        Refusal {
            code: 3,
            message: &["`missing` is neither a file that exists nor a reference"],
            hint: "",
        }
        .of(&environment, &[command, "missing"]);
    }
}

#[test]
fn a_folder_is_not_taken_for_a_file() {
    let environment = Environment::new();
    environment.write("folder/provider", "an executable");
    environment.write("provider", "an executable");
    good_archive(&environment, "good.par");
    let reference = format!("{}/{}:1", shared_registry(), unique("folder"));
    let create = ["create", "-n", "N", "-v", "V", "-b"];
    let commands: [&[&str]; 12] = [
        &["inspect", "./folder"],
        &["inspect", "folder"],
        &["verify", "folder"],
        &["extract", "folder"],
        &["insert", "folder", "-b", "provider"],
        &["insert", "good.par", "-b", "folder"],
        &["push", &reference, "folder"],
        &[&create[..], &["folder"]].concat(),
        &[&create[..], &["provider", "--destination", "folder"]].concat(),
        &[&create[..], &["provider", "-j", "folder"]].concat(),
        &[&create[..], &["provider", "-i", "folder"]].concat(),
        &[
            "extract",
            "good.par",
            "--target",
            LINUX.0,
            "--destination",
            "folder",
        ],
    ];
    for command in commands {
        Refusal {
            code: 2,
            message: &["folder", "is a directory"],
            hint: "name a file",
        }
        .of(&environment, command);
    }
}

#[test]
fn a_missing_folder_is_named_and_no_key_is_made_for_it() {
    let environment = Environment::new();
    environment.write("provider", "an executable");
    good_archive(&environment, "good.par");
    let reference = format!("{}/{}:1", shared_registry(), unique("pushed"));
    environment.par(["push", &reference, "good.par"]).success();
    let commands: [&[&str]; 4] = [
        &[
            "create",
            "-n",
            "N",
            "-v",
            "V",
            "-b",
            "provider",
            "--destination",
            "no/such/file",
        ],
        &[
            "extract",
            "good.par",
            "--target",
            LINUX.0,
            "--destination",
            "no/such/file",
        ],
        &[
            "extract",
            &reference,
            "--target",
            LINUX.0,
            "--destination",
            "no/such/file",
        ],
        &["pull", &reference, "--destination", "no/such/file"],
    ];
    for command in commands {
        Refusal {
            code: 3,
            message: &["cannot write no/such/file", "there is no folder"],
            hint: "",
        }
        .of(&environment, command);
    }
    for command in commands {
        let stderr = environment.par(command).exit(3).stderr;
        assert!(
            !stderr.contains(".par-"),
            "no temporary file is of interest: {stderr}"
        );
    }
}

#[test]
fn a_destination_that_can_only_be_a_folder_is_none_for_a_file() {
    let environment = Environment::new();
    environment.write("provider", "an executable");
    good_archive(&environment, "good.par");
    let reference = format!("{}/{}:1", shared_registry(), unique("pushed"));
    environment.par(["push", &reference, "good.par"]).success();
    let commands: [&[&str]; 4] = [
        &["create", "-n", "N", "-v", "V", "-b", "provider"],
        &["extract", "good.par", "--target", LINUX.0],
        &["extract", &reference, "--target", LINUX.0],
        &["pull", &reference],
    ];
    for command in commands {
        for (destination, code, said) in [
            ("missing/", 3, "there is no folder missing/"),
            ("provider/", 2, "provider/ is not a folder"),
            ("provider/x", 2, "provider is not a folder"),
        ] {
            Refusal {
                code,
                message: &["cannot write", destination, said],
                hint: "",
            }
            .of(
                &environment,
                &[command, &["--destination", destination]].concat(),
            );
        }
    }
}

#[test]
fn missing_inputs_of_create_are_not_found_and_no_key_is_made() {
    let environment = Environment::new();
    environment.write("provider", "an executable");
    let create = ["create", "-n", "N", "-v", "V", "-b"];
    let cases: [&[&str]; 4] = [
        &["missing"],
        &["x86_64-linux=missing"],
        &["provider", "-j", "missing"],
        &["provider", "-i", "missing"],
    ];
    for case in cases {
        Refusal {
            code: 3,
            message: &["cannot read missing", "No such file"],
            hint: "",
        }
        .of(&environment, &[&create[..], case].concat());
    }
}

#[test]
fn inputs_that_make_no_sense_are_refused() {
    let environment = Environment::new();
    environment.write("provider", "an executable");
    environment.write("other", "another executable");
    environment.write("empty", "");
    environment.write("component.wasm", b"\0asm\x0d\0\x01\0");
    environment.write("text", "no JSON, no WIT");
    std::fs::create_dir(environment.path("folder")).unwrap();
    let cases: [(&[&str], &[&str], &str); 8] = [
        (&["-b", "empty"], &["the binary empty is empty"], ""),
        (
            &["-b", "component.wasm"],
            &["component.wasm", "WebAssembly"],
            "wkg oci",
        ),
        (
            &["-b", "provider", "-b", "other"],
            &["two binaries", "provider", "other"],
            "TARGET=PATH",
        ),
        (
            &["-b", "provider", "-j", "text"],
            &["the schema text is not JSON"],
            "",
        ),
        (
            &["-b", "provider", "--wit-directory", "folder"],
            &["the WIT in folder"],
            "",
        ),
        (
            &["-b", "provider", "--destination", "provider"],
            &["would replace", "provider"],
            "--des",
        ),
        (&["-b", "provider", "-a", "linux"], &["linux", "--arch"], ""),
        (&["-b", "provider", "-r", "one"], &["one", "--revision"], ""),
    ];
    for (arguments, message, hint) in cases {
        Refusal {
            code: 2,
            message,
            hint,
        }
        .of(
            &environment,
            &[&["create", "-n", "N", "-v", "V"], arguments].concat(),
        );
    }
}
