//! `par inspect`

use serde_json::json;
use wasmcloud_par::archive::{encode_world, print_world};

use super::super::{good_archive, normalized};
use crate::support::archives::{ArchiveBuilder, LINUX, MACOS};
use crate::support::{Environment, Outcome, create_arguments, shared_registry, unique};

#[test]
fn an_archive_is_shown_like_wash_shows_it() {
    let environment = Environment::new();
    good_archive(&environment, "good.par");
    let outcome = environment.par(["inspect", "good.par"]).success();
    assert_eq!(outcome.stderr, "");
    insta::assert_snapshot!(normalized(&outcome.stdout, &environment), @"
    Test Provider - Capability Provider

      Account   [ACCOUNT]
      Service   [SERVICE]
      Vendor    Test Vendor
      Version   1.2.3
      Revision  7

      Supported Architecture Targets
        aarch64-macos
        x86_64-linux

      Dates
        signed on 2023-11-14T22:13:20Z

      Executables
        aarch64-macos  27 B  sha256:[HASH]
        x86_64-linux   29 B  sha256:[HASH]

      Archive
        size 4.6 kB
    ");
}

#[test]
fn standard_input_is_inspected_and_compared_like_a_file() {
    let environment = Environment::new();
    good_archive(&environment, "good.par");
    let bytes = std::fs::read(environment.path("good.par")).unwrap();
    let piped = |arguments: &[&str]| {
        let mut command = environment.command();
        command.args(arguments);
        Outcome::of(command, &bytes)
    };
    let expected = environment.par(["inspect", "good.par"]).success().stdout;
    assert_eq!(piped(&["inspect", "-"]).success().stdout, expected);
    let others = ArchiveBuilder::two_targets().build();
    environment.write("others.par", others);
    for archives in [["-", "others.par"], ["others.par", "-"]] {
        let differ = piped(&[&["diff"], &archives[..]].concat()).success();
        assert!(differ.stdout.starts_with("issuer: A"), "{differ}");
    }
    assert_eq!(piped(&["diff", "-", "good.par"]).success().stdout, "");
    for arguments in [
        &["diff", "-", "-"][..],
        &["inspect", "-", "--check-config", "-"],
        &["extract", "-"],
    ] {
        let refused = piped(arguments).exit(2);
        assert!(refused.stderr.contains("standard input"), "{refused}");
    }
}

#[test]
fn missing_claims_and_absent_executables_are_shown_as_missing() {
    let environment = Environment::new();
    let bytes = ArchiveBuilder::empty()
        .executable("x86_64-linux.bin", LINUX.1)
        .hash(MACOS.0, MACOS.1)
        .wascap(|wascap| {
            for field in ["name", "rev", "ver"] {
                wascap.remove(field);
            }
            wascap.insert("config_schema".to_owned(), json!({"type": "object"}));
        })
        .build_gzip();
    environment.write("whatever", bytes);
    let outcome = environment.par(["inspect", "whatever"]).success();
    // The keys differ in each run, and with them the size of the compressed archive.
    let (shown, archive) = outcome.stdout.split_once("\n  Archive\n").unwrap();
    insta::assert_snapshot!(normalized(shown, &environment), @r#"
    None - Capability Provider

      Account   [ACCOUNT]
      Service   [SERVICE]
      Vendor    Test Vendor
      Version   None
      Revision  None

      Supported Architecture Targets
        x86_64-linux
        aarch64-macos (signed for, but absent from this archive)

      Link Definition Schema
        {"type":"object"}

      Dates
        signed on 2023-11-14T22:13:20Z

      Executables
        x86_64-linux  29 B  sha256:[HASH]
    "#);
    assert!(archive.starts_with("    size "), "{archive}");
    let mut object = environment
        .par(["inspect", "whatever", "-o", "json"])
        .success()
        .json();
    let fields = object.as_object_mut().unwrap();
    assert!(
        fields
            .remove("issuer")
            .unwrap()
            .as_str()
            .unwrap()
            .starts_with('A')
    );
    assert!(
        fields
            .remove("service")
            .unwrap()
            .as_str()
            .unwrap()
            .starts_with('V')
    );
    let expected = json!({
        "success": true,
        "warnings": [],
        "name": null,
        "vendor": "Test Vendor",
        "version": null,
        "revision": null,
        "targets": ["x86_64-linux"],
        "absent": ["aarch64-macos"],
        "schema": {"type": "object"},
        "signed": "2023-11-14T22:13:20Z",
    });
    assert!(fields.remove("size").unwrap().is_u64());
    let executables = fields.remove("executables").unwrap();
    assert_eq!(executables[0]["target"], "x86_64-linux");
    assert_eq!(executables[0]["size"], LINUX.1.len());
    assert!(
        executables[0]["hash"]
            .as_str()
            .unwrap()
            .starts_with("sha256:")
    );
    assert_eq!(object, expected);
}

#[test]
fn dates_are_shown_for_files_and_for_references() {
    let environment = Environment::new();
    let reference = format!("{}/{}:1.0.0", shared_registry(), unique("dated"));
    let dated = ArchiveBuilder::two_targets().payload(|payload| {
        payload.insert("nbf".to_owned(), 1_700_000_000.into());
        payload.insert("exp".to_owned(), 4_000_000_000_u64.into());
    });
    environment.write("dated.par", dated.build());
    environment.par(["push", &reference, "dated.par"]).success();
    for archive in ["dated.par", &reference] {
        let text = environment.par(["inspect", archive]).success().stdout;
        let expected = "
  Supported Architecture Targets
    aarch64-macos
    x86_64-linux

  Dates
    valid from 2023-11-14T22:13:20Z to 2096-10-02T07:06:40Z
";
        assert!(text.contains(expected), "{text}");
        let json = environment.par(["inspect", archive, "-o", "json"]);
        let json = json.success().json();
        assert_eq!(json["not_before"], "2023-11-14T22:13:20Z");
        assert_eq!(json["expires"], "2096-10-02T07:06:40Z");
    }
}

#[test]
fn json_has_the_keys_of_wash() {
    let environment = Environment::new();
    good_archive(&environment, "good.par.gz");
    let outcome = environment
        .par(["-o", "json", "inspect", "good.par.gz"])
        .success();
    outcome.line();
    let mut object = outcome.json();
    // The keys differ in each run, and with them the size of the compressed archive.
    let size = object.as_object_mut().unwrap().remove("size");
    assert!(size.unwrap().is_u64());
    let text = normalized(
        &serde_json::to_string_pretty(&object).unwrap(),
        &environment,
    );
    insta::assert_snapshot!(text, @r#"
    {
      "executables": [
        {
          "facts": {
            "debug": null,
            "format": "unknown",
            "glibc": null,
            "interpreter": null,
            "libraries": [],
            "linking": null,
            "macos": null,
            "processors": [],
            "signed": null
          },
          "hash": "sha256:[HASH]",
          "size": 27,
          "target": "aarch64-macos"
        },
        {
          "facts": {
            "debug": null,
            "format": "unknown",
            "glibc": null,
            "interpreter": null,
            "libraries": [],
            "linking": null,
            "macos": null,
            "processors": [],
            "signed": null
          },
          "hash": "sha256:[HASH]",
          "size": 29,
          "target": "x86_64-linux"
        }
      ],
      "issuer": "[ACCOUNT]",
      "name": "Test Provider",
      "revision": "7",
      "service": "[SERVICE]",
      "signed": "2023-11-14T22:13:20Z",
      "success": true,
      "targets": [
        "aarch64-macos",
        "x86_64-linux"
      ],
      "vendor": "Test Vendor",
      "version": "1.2.3",
      "warnings": []
    }
    "#);
}

#[test]
fn the_token_is_printed_as_it_was_signed() {
    let environment = Environment::new();
    good_archive(&environment, "good.par");
    let outcome = environment
        .par(["inspect", "--jwt-only", "good.par"])
        .success();
    let token = outcome.line();
    let checked = wascap::jwt::validate_token::<wascap::jwt::CapabilityProvider>(token).unwrap();
    assert!(checked.signature_valid && !checked.expired && !checked.cannot_use_yet);
    let claims = wascap::jwt::Claims::<wascap::jwt::CapabilityProvider>::decode(token).unwrap();
    let object = environment
        .par(["inspect", "good.par", "-o", "json"])
        .success()
        .json();
    assert_eq!(object["issuer"], claims.issuer);
    assert_eq!(object["service"], claims.subject);
    let json = environment
        .par(["inspect", "--jwt-only", "good.par", "-o", "json"])
        .success();
    assert_eq!(
        json.json(),
        json!({"success": true, "warnings": [], "token": token})
    );
}

#[test]
fn the_world_is_printed_as_wit() {
    let environment = Environment::new();
    let wit = "package acme:store@0.1.0;\n\nworld store {\n  export keep: func(what: string);\n}\n";
    environment.write("wit/store.wit", wit);
    environment.write("provider", "an executable");
    let create = create_arguments("x86_64-linux=provider", &["--wit-directory", "wit"]);
    environment.par(create).success();
    let printed = environment
        .par(["inspect", "provider.par", "--wit"])
        .success();
    insta::assert_snapshot!(printed.stdout, @"
    package acme:store@0.1.0;

    world store {
      export keep: func(what: string);
    }
    ");
    let object = environment
        .par(["inspect", "provider.par", "--wit", "-o", "json"])
        .success()
        .json();
    assert_eq!(object["wit"], printed.stdout);
    let as_wash = environment.par(["inspect", "provider.par", "--world"]);
    assert_eq!(as_wash.success().stdout, printed.stdout);
    assert_eq!(object["name"], "N");
}

/// Text that changes the title of the window, hides text, moves the cursor, and reverses the direction of text.
const HOSTILE: &str = "\u{1b}]0;owned\u{7}\u{1b}[8m\u{9b}2J\r\nAccount  AAAA\u{202e}gpj";

#[test]
fn names_cannot_control_the_terminal() {
    let environment = Environment::new();
    let bytes = ArchiveBuilder::two_targets()
        .wascap(|wascap| {
            for field in ["name", "vendor", "ver"] {
                wascap.insert(field.to_owned(), HOSTILE.into());
            }
            wascap.insert("config_schema".to_owned(), json!({"title": HOSTILE}));
        })
        .build();
    environment.write("hostile.par", bytes);
    let dangerous = |text: &str| {
        text.chars().any(|character| {
            (character.is_control() && character != '\n') || character == '\u{202e}'
        })
    };
    for command in ["inspect", "verify"] {
        let outcome = environment.par([command, "hostile.par"]).success();
        assert!(!dangerous(&outcome.stdout), "{:?}", outcome.stdout);
        assert!(!outcome.stdout.contains("\nAccount"), "no line of its own");
        let json = environment
            .par([command, "hostile.par", "-o", "json"])
            .success();
        assert!(!dangerous(&json.stdout), "{:?}", json.stdout);
        if command == "inspect" {
            assert!(outcome.stdout.contains("\\u{1b}]0;owned"), "it is visible");
            assert_eq!(json.json()["name"], HOSTILE);
        }
    }
}

#[test]
fn the_name_of_a_missing_file_cannot_control_the_terminal() {
    let environment = Environment::new();
    for name in ["./\u{1b}[31mred", "\u{1b}[31mred", "\u{1b}[31mred.par"] {
        let outcome = environment.par(["inspect", name]).exit(3);
        assert!(!outcome.stderr.contains('\u{1b}'), "{:?}", outcome.stderr);
        assert!(outcome.stderr.contains("[31mred"), "{outcome}");
    }
}

/// A world on which the parser panics: one byte of a real world is changed.
fn world_that_makes_the_parser_panic(environment: &Environment) -> Vec<u8> {
    let wit = "package a:b@1.0.0;\ninterface i { record r { x: u8 } f: func(p: r); }\nworld w { import i; export i; }\n";
    environment.write("panic/w.wit", wit);
    let world = encode_world(&environment.path("panic")).unwrap();
    for offset in 8..world.len() {
        for value in [0, 1, 2, 3, 4, 5, 0x40, 0x68, 0x69, 0x70, 0x72] {
            let mut changed = world.clone();
            changed[offset] = value;
            let printed = print_world(&changed).map_err(|error| error.to_string());
            if printed.is_err_and(|error| error.contains("the parser failed")) {
                return changed;
            }
        }
    }
    panic!("no world makes the parser panic any more: this test has no use");
}

#[test]
fn a_world_on_which_the_parser_panics_is_an_error() {
    let environment = Environment::new();
    let world = world_that_makes_the_parser_panic(&environment);
    let archive = ArchiveBuilder::two_targets().world(&world).build();
    environment.write("hostile.par", archive);
    let refused = environment.par(["inspect", "hostile.par", "--wit"]).exit(5);
    assert!(
        refused.stderr.starts_with("error: cannot read the WIT"),
        "{refused}"
    );
    assert!(!refused.stderr.contains("panicked"), "{refused}");
    let answer = environment.par(["inspect", "hostile.par", "--wit", "-o", "json"]);
    assert_eq!(answer.exit(5).json()["error"]["kind"], "not_verified");
}
