//! Files and directories that are missing, or of the wrong kind.

use super::super::good_archive;
use super::Refusal;
use crate::support::archives::LINUX;
use crate::support::{Environment, create_arguments, shared_registry, unique};

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
fn a_reference_in_the_place_of_a_file_is_noticed() {
    let environment = Environment::new();
    environment.write("provider", "an executable");
    let reference = "localhost:1/org/echo:1.0.0";
    let commands: [&[&str]; 5] = [
        &["sign", reference],
        &["insert", reference, "-b", "provider"],
        &["remove", reference, "--target", LINUX.0],
        &["push", "localhost:1/other:1", reference],
        &create_arguments(reference, &[]),
    ];
    for command in commands {
        Refusal {
            code: 3,
            message: &["cannot read", reference, "No such file"],
            hint: "`par pull`",
        }
        .of(&environment, command);
    }
    let locked = environment.par(["lock", reference]).exit(3);
    for said in ["is a reference, not a file", "hint: write it into a file"] {
        assert!(locked.stderr.contains(said), "{locked}");
    }
}

#[test]
fn the_error_about_a_text_says_that_it_is_neither_a_file_nor_a_reference() {
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
fn a_directory_is_refused_where_a_file_is_expected() {
    let environment = Environment::new();
    environment.write("tree/provider", "an executable");
    environment.write("provider", "an executable");
    good_archive(&environment, "good.par");
    let reference = format!("{}/{}:1", shared_registry(), unique("tree"));
    let commands: [&[&str]; 13] = [
        &["inspect", "./tree"],
        &["inspect", "tree"],
        &["verify", "tree"],
        &["extract", "tree"],
        &["insert", "tree", "-b", "provider"],
        &["insert", "good.par", "-b", "tree"],
        &["push", &reference, "tree"],
        &create_arguments("tree", &[]),
        &create_arguments("provider", &["--destination", "tree"]),
        &create_arguments("provider", &["-j", "tree"]),
        &create_arguments("provider", &["-i", "tree"]),
        &[
            "extract",
            "good.par",
            "--target",
            LINUX.0,
            "--destination",
            "tree",
        ],
        &["trust", "export", "--destination", "tree"],
    ];
    for command in commands {
        Refusal {
            code: 2,
            message: &["tree", "is a directory"],
            hint: "name a file",
        }
        .of(&environment, command);
    }
}

#[test]
fn the_error_names_a_missing_directory_and_no_key_is_generated() {
    let environment = Environment::new();
    environment.write("provider", "an executable");
    good_archive(&environment, "good.par");
    let reference = format!("{}/{}:1", shared_registry(), unique("pushed"));
    environment.par(["push", &reference, "good.par"]).success();
    let commands: [&[&str]; 5] = [
        &create_arguments("provider", &["--destination", "no/such/file"]),
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
        &["trust", "export", "--destination", "no/such/file"],
    ];
    for command in commands {
        Refusal {
            code: 3,
            message: &["cannot write no/such/file", "there is no directory"],
            hint: "create the directory",
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
fn a_destination_with_a_trailing_slash_must_be_a_directory() {
    let environment = Environment::new();
    environment.write("provider", "an executable");
    good_archive(&environment, "good.par");
    let reference = format!("{}/{}:1", shared_registry(), unique("pushed"));
    environment.par(["push", &reference, "good.par"]).success();
    let commands: [&[&str]; 4] = [
        &create_arguments("provider", &[]),
        &["extract", "good.par", "--target", LINUX.0],
        &["extract", &reference, "--target", LINUX.0],
        &["pull", &reference],
    ];
    for command in commands {
        for (destination, code, said) in [
            ("missing/", 3, "there is no directory missing/"),
            ("provider/", 2, "provider/ is not a directory"),
            ("provider/x", 2, "provider is not a directory"),
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
fn missing_inputs_of_create_are_not_found_and_no_key_is_generated() {
    let environment = Environment::new();
    environment.write("provider", "an executable");
    let cases: [(&str, &[&str]); 4] = [
        ("missing", &[]),
        ("x86_64-linux=missing", &[]),
        ("provider", &["-j", "missing"]),
        ("provider", &["-i", "missing"]),
    ];
    for (binary, more) in cases {
        Refusal {
            code: 3,
            message: &["cannot read missing", "No such file"],
            hint: "",
        }
        .of(&environment, &create_arguments(binary, more));
    }
}

#[test]
fn unusable_inputs_of_create_are_refused() {
    let environment = Environment::new();
    environment.write("provider", "an executable");
    environment.write("other", "another executable");
    environment.write("empty", "");
    environment.write("component.wasm", b"\0asm\x0d\0\x01\0");
    environment.write("text", "no JSON, no WIT");
    std::fs::create_dir(environment.path("directory")).unwrap();
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
            &["-b", "provider", "--wit-directory", "directory"],
            &["the WIT in directory"],
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
