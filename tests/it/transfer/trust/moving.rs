//! The directory of pins, and moving them from the cache of an older version and between machines.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;

use serde_json::{Value, json};

use super::super::{par, text};
use super::{Publisher, Site};
use crate::support::{Outcome, Unprivileged, ended};

const REFERENCE: &str = "registry.test/org/provider:1.0.0";
const PLACE: &str = "registry.test/org/provider";

#[test]
fn pins_are_in_the_state_directory_and_outlive_the_cache() {
    let (site, jane, joe) = (Site::new(), Publisher::new(), Publisher::new());
    site.push(REFERENCE, jane.archive());
    site.fetch(REFERENCE, &[]).success();
    let home = site.environment.home();
    assert!(site.pin("org/provider").is_file());
    fs::remove_dir_all(home.join(".cache/wasmcloud-par")).unwrap();
    site.push(REFERENCE, joe.archive());
    site.fetch(REFERENCE, &[]).exit(5);
    // Another state directory does not have the pin.
    let mut command = site.environment.command();
    command.env("PAR_STATE_DIR", "state");
    command.args(["fetch", REFERENCE, "--target", "x86_64-linux"]);
    Outcome::of(command, b"").success();
    let elsewhere = "state/v1/identities/registry.test/org/provider/_identity";
    assert!(site.environment.path(elsewhere).is_file());
}

#[test]
fn processes_take_over_the_pins_of_an_older_version_at_once_and_lose_none() {
    let (site, jane, joe) = (Site::new(), Publisher::new(), Publisher::new());
    let others = ["registry.test/org/other:1.0.0", REFERENCE];
    for reference in others {
        site.push(reference, jane.archive());
        site.fetch(reference, &[]).success();
    }
    // The version before kept pins in the cache.
    let home = site.environment.home();
    let old = home.join(".cache/wasmcloud-par/v1/identities");
    let state = home.join(".local/state/wasmcloud-par/v1");
    fs::rename(state.join("identities"), &old).unwrap();
    site.push(REFERENCE, joe.archive());

    let start = |_| {
        let mut command = site.environment.command();
        command.args(["fetch", REFERENCE, "--target", "x86_64-linux"]);
        let piped = command.stdout(Stdio::piped()).stderr(Stdio::piped());
        piped.spawn().unwrap()
    };
    let processes: Vec<_> = (0..6).map(start).collect();
    for process in processes {
        let output = ended(process);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(5), "{said}");
        assert!(said.contains("is not by the publisher"), "{said}");
    }
    assert!(!old.exists());
    let listed = par(&site.environment, ["trust", "list", "-o", "json"]);
    let listed = listed.success().json();
    let identities = listed["identities"].as_array().unwrap();
    assert_eq!(identities.len(), 2, "{listed}");
    for identity in identities {
        assert_eq!(identity["issuer"], jane.issuer().as_str());
        assert_eq!(identity["revisions"]["1.0.0"], 7);
    }
}

#[test]
fn a_pin_that_cannot_be_recorded_is_an_error_that_names_the_directory() {
    let (site, jane) = (Site::new(), Publisher::new());
    site.push(REFERENCE, jane.archive());
    // A file is where a directory is needed, which stops root as well.
    let state = site.environment.write("state", "");
    let options = ["--state-dir", text(&state)];
    let refused = site.fetch(REFERENCE, &options).exit(2);
    assert!(refused.stderr.contains("cannot use the state"), "{refused}");
    assert!(refused.stderr.contains("--state-dir"), "{refused}");
    assert_eq!(refused.stdout, "");
    // With pins off, nothing has to be recorded.
    let off = site.environment.write("off.toml", "pin = \"off\"");
    let off = [&options[..], &["--trust", text(&off)]].concat();
    site.fetch(REFERENCE, &off).success();

    let shared = site.environment.path("shared");
    fs::create_dir_all(shared.join("v1")).unwrap();
    let open = fs::Permissions::from_mode(0o777);
    fs::set_permissions(shared.join("v1"), open).unwrap();
    let refused = site.fetch(REFERENCE, &["--state-dir", text(&shared)]);
    let refused = refused.exit(4);
    assert!(
        refused
            .stderr
            .contains("the pins of repositories cannot be in"),
        "{refused}"
    );

    // No directory is known.
    let mut command = site.environment.command();
    command
        .env_remove("XDG_STATE_HOME")
        .env("HOME", "/dev/null")
        .args(["fetch", REFERENCE, "--target", "x86_64-linux"]);
    let refused = Outcome::of(command, b"").exit(1);
    assert!(refused.stderr.contains("PAR_STATE_DIR"), "{refused}");
}

#[test]
fn pins_in_a_read_only_state_are_still_compared() {
    let (site, jane, joe) = (Site::new(), Publisher::new(), Publisher::new());
    site.push(REFERENCE, jane.archive());
    site.fetch(REFERENCE, &[]).success();
    let other = "registry.test/org/other:1.0.0";
    site.push(other, jane.archive());
    let user = Unprivileged::new(&site.environment);
    let state = site
        .environment
        .home()
        .join(".local/state/wasmcloud-par/v1");
    let mode = |mode| fs::set_permissions(&state, fs::Permissions::from_mode(mode)).unwrap();
    let fetch = |reference: &str| {
        let fetch = ["fetch", reference, "--target", "x86_64-linux"];
        Outcome::of(user.command(&fetch), b"")
    };
    mode(0o500);
    fetch(REFERENCE).success();
    // Only the digest is new, which need not be recorded.
    let release = jane.archive().wascap(|wascap| {
        wascap.insert("ver".to_owned(), "9.9.9".into());
    });
    site.push(REFERENCE, release);
    fetch(REFERENCE).success();
    // A higher revision has to be recorded.
    site.push(REFERENCE, jane.revision(Some(8)));
    let refused = fetch(REFERENCE).exit(4);
    assert!(refused.stderr.contains("PAR_STATE_DIR"), "{refused}");
    site.push(REFERENCE, joe.archive());
    fetch(REFERENCE).exit(5);
    let refused = fetch(other).exit(4);
    assert!(refused.stderr.contains("cannot use the state"), "{refused}");
    mode(0o700);
    fetch(other).success();
}

#[test]
fn pins_are_exported_sorted_and_imported_on_another_machine() {
    let (site, jane, joe) = (Site::new(), Publisher::new(), Publisher::new());
    for name in ["z", "a", "m/n"] {
        let reference = format!("registry.test/org/{name}:1.0.0");
        site.push(&reference, jane.archive());
        site.fetch(&reference, &[]).success();
    }
    let printed = par(&site.environment, ["trust", "export"]).success().stdout;
    let document: Value = serde_json::from_str(&printed).unwrap();
    assert_eq!(document["version"], 1);
    let pins = document["pins"].as_array().unwrap();
    let names: Vec<_> = pins.iter().map(|pin| pin["repository"].clone()).collect();
    let sorted = ["a", "m/n", "z"].map(|name| json!(format!("registry.test/org/{name}")));
    assert_eq!(names, sorted);
    assert_eq!(pins[0]["service"], jane.subject().as_str());
    assert!(pins[0]["since"].as_str().unwrap().ends_with('Z'));
    let written = [
        "trust",
        "export",
        "--destination",
        "pins.json",
        "-o",
        "json",
    ];
    let answer = par(&site.environment, written).success().json();
    assert_eq!(answer["pins"], document["pins"]);
    let file = site.environment.path("pins.json");
    assert_eq!(fs::read_to_string(&file).unwrap(), printed);

    let other = Site::new();
    let mut command = other.environment.command();
    command.args(["trust", "import", "-", "-o", "json"]);
    let imported = Outcome::of(command, printed.as_bytes()).success().json();
    assert_eq!(
        (&imported["pins"], &imported["changed"]),
        (&json!(3), &json!(names))
    );
    let again = other
        .environment
        .par(["trust", "import", text(&file), "-o", "json"])
        .success();
    assert_eq!(again.json()["changed"], json!([]));
    assert_eq!(
        again.stderr,
        "pins that are new or have changed: 0, there already: 3\n"
    );
    let exported = par(&other.environment, ["trust", "export"]).success();
    assert_eq!(exported.stdout, printed);
    let taken = "registry.test/org/z:1.0.0";
    other.push(taken, joe.archive());
    other.fetch(taken, &[]).exit(5);
}

#[test]
fn a_pin_to_another_publisher_is_imported_only_with_the_option() {
    let (site, jane, joe) = (Site::new(), Publisher::new(), Publisher::new());
    let pin = |repository: &str, publisher: &Publisher| {
        json!({
            "repository": repository,
            "issuer": publisher.issuer(),
            "service": publisher.subject(),
            "since": "2026-01-02T03:04:05Z",
        })
    };
    let document = |pins: Value| json!({ "version": 1, "pins": pins }).to_string();
    let first = document(json!([pin(PLACE, &jane)]));
    let import = |content: &str, options: &[&str]| {
        let file = site.environment.write("pins.json", content);
        let arguments = [&["trust", "import", text(&file)], options].concat();
        site.environment.par(arguments)
    };
    import(&first, &[]).success();

    let both = document(json!([pin("registry.test/a", &joe), pin(PLACE, &joe)]));
    let refused = import(&both, &[]).exit(7);
    let said = format!("{PLACE}: issuer {} -> {}", jane.issuer(), joe.issuer());
    assert!(refused.stderr.contains(&said), "{refused}");
    assert!(refused.stderr.contains("--replace"), "{refused}");
    let list = || par(&site.environment, ["trust", "list"]).success().stdout;
    assert_eq!(list().lines().count(), 1);
    assert!(list().contains(&jane.issuer()));
    import(&both, &["--replace"]).success();
    assert_eq!(list().matches(&joe.issuer()).count(), 2);

    for (wrong, reason) in [
        ("", "EOF"),
        ("{\"version\": 2, \"pins\": []}", "only version 1"),
        (&document(json!([{"repository": PLACE}])), "missing field"),
    ] {
        let refused = import(wrong, &[]).exit(2);
        assert!(refused.stderr.contains(reason), "{refused}");
    }
    par(&site.environment, ["trust", "import", "missing.json"]).exit(3);
}

#[test]
fn several_references_are_accepted_and_every_failure_is_reported() {
    let (site, jane, joe) = (Site::new(), Publisher::new(), Publisher::new());
    let other = "registry.test/org/other:1.0.0";
    for reference in [REFERENCE, other] {
        site.push(reference, jane.archive());
        site.fetch(reference, &[]).success();
        site.push(reference, joe.archive());
    }
    let missing = ["registry.test/org/missing:1", "registry.test/org/gone:1"];
    let all = [REFERENCE, missing[0], other, missing[1]];
    let arguments = [&["trust", "accept", "-o", "json"][..], &all].concat();
    let outcome = site.environment.par(&arguments).exit(3);
    let json = outcome.json();
    let of = |list: &str| {
        let list = json[list].as_array().unwrap().iter();
        list.map(|one| one["reference"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(of("accepted"), [REFERENCE, other]);
    assert_eq!(of("failed"), missing);
    assert_eq!(json["failed"][0]["error"]["kind"], "not_found");
    assert_eq!(json["accepted"][0]["issuer"], joe.issuer().as_str());
    for reference in missing {
        assert!(outcome.stderr.contains(reference), "{outcome}");
    }
    site.fetch(REFERENCE, &[]).success();
    site.fetch(other, &[]).success();
}

#[test]
fn a_refused_archive_decides_the_exit_code_and_every_failure_keeps_its_hint() {
    let (site, jane, joe) = (Site::new(), Publisher::new(), Publisher::new());
    site.push(REFERENCE, joe.archive());
    let missing = "registry.test/org/missing:1";
    let issuer = jane.issuer();
    let accept = ["trust", "accept", missing, REFERENCE, "--issuer", &issuer];
    let refused = par(&site.environment, accept).exit(5);
    for reference in [missing, REFERENCE] {
        let said = format!("error: cannot accept {reference}: ");
        assert!(refused.stderr.contains(&said), "{refused}");
    }
    assert!(
        refused.stderr.contains("\nhint: allow the issuer"),
        "{refused}"
    );
    assert!(
        refused
            .stderr
            .ends_with("error: 2 of 2 archives are not accepted\n"),
        "{refused}"
    );
    assert!(!site.pin("org/provider").exists());
}
