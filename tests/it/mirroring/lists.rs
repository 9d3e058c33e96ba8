//! The forms of a list, and the files for hosts.

use super::{Site, assert_statuses, statuses};
use crate::support::{Environment, Outcome};
use crate::transfer::push;

#[test]
fn hosts_read_from_the_mirror_of_the_hosts_toml_while_the_origin_is_unreachable() {
    let mut site = Site::new();
    site.mirror(&["--write-hosts", "certs.d"]).exit(5);
    let printed = site.mirror(&[]).exit(5);
    let file = format!("certs.d/{}/hosts.toml", site.origin.address());
    let text = site.read(&file);
    assert!(printed.stdout.contains(&text), "{printed}\n{text}");
    let origin = site.origin.address().to_owned();
    let url = format!(
        "http://{}/v2/mirror/{}",
        site.mirror.address(),
        origin.replace(':', "__")
    );
    assert!(text.contains(&url), "{text}");
    let references = ["http", "redis", "evil"].map(|name| site.reference(name));
    // The origin is replaced by a registry at another port.
    site.origin = crate::support::Registry::start();
    for reference in &references[..2] {
        let fetch = [
            "fetch",
            reference,
            "--hosts-dir",
            "certs.d",
            "--target",
            "x86_64-linux",
        ];
        let fetched = site.par(&fetch).success();
        assert!(std::path::Path::new(fetched.line()).is_file());
    }
    let fetch = [
        "fetch",
        &references[2],
        "--hosts-dir",
        "certs.d",
        "--target",
        "x86_64-linux",
    ];
    assert_ne!(site.par(&fetch).code, 0);
}

#[test]
fn only_a_hosts_toml_of_an_earlier_run_is_replaced() {
    let site = Site::new();
    let (reference, place) = (site.reference("http"), site.place());
    let mirror = ["mirror", &reference, &place, "--write-hosts", "certs.d"];
    site.par(&mirror).success();
    let file = format!("certs.d/{}/hosts.toml", site.origin.address());
    let written = site.read(&file);
    let elsewhere = written.replacen("/mirror/", "/another/", 1);
    site.environment.write(&file, &elsewhere);
    site.par(&mirror).success();
    assert_eq!(site.read(&file), written);

    let own = format!("ca = \"own.pem\"\n{written}");
    site.environment.write(&file, &own);
    let refused = site.par(&mirror).exit(7);
    assert!(refused.stderr.contains("was left as it is"), "{refused}");
    assert!(refused.stdout.contains(&written), "{refused}");
    assert_eq!(site.read(&file), own);
}

#[test]
fn a_manifest_is_written_with_the_names_in_the_mirror() {
    let site = Site::new();
    let refused = site.mirror(&["--write", "mirrored.yaml"]).exit(5);
    assert!(
        refused.stderr.contains("--write wrote nothing"),
        "{refused}"
    );
    assert!(!site.path("mirrored.yaml").exists());
    let plain = site.read("wadm.yaml");
    let evil = plain.find("    - name: evil").unwrap();
    site.environment.write("wadm.yaml", &plain[..evil]);
    let written = site
        .mirror(&["--write", "mirrored.yaml", "-o", "json"])
        .success();
    assert_eq!(written.json()["written"], "mirrored.yaml");
    let prefix = format!(
        "{}/{}/org/",
        site.place(),
        site.origin.address().replace(':', "__")
    );
    let expected = plain[..evil].replace(&site.origin.reference("org/"), &prefix);
    assert_eq!(site.read("mirrored.yaml"), expected);
    site.par(&["lock", "mirrored.yaml"]).success();
    let layout = [
        "mirror",
        "wadm.yaml",
        "oci-layout://stick",
        "--write",
        "x.yaml",
    ];
    site.par(&layout).exit(2);
}

#[test]
fn the_newest_tags_of_a_repository_are_selected() {
    let site = Site::new();
    let repository = site.origin.reference("org/http");
    let add = [
        "tag",
        &site.reference("http"),
        "1.2.0",
        "1.10.0",
        "1.9.0-rc1",
        "2.0.0",
        "latest",
        "main",
    ];
    site.par(&[&add[..], &["--allow-latest"]].concat())
        .success();
    let place = site.place();
    let select = |options: &[&str]| {
        let mirror = ["mirror", &repository, &place, "-o", "json", "--dry-run"];
        let answer = site.par(&[&mirror[..], options].concat()).success().json();
        let tags = statuses(&answer).into_iter();
        let tags = tags.map(|(reference, _)| reference.rsplit_once(':').unwrap().1.to_owned());
        tags.collect::<Vec<_>>().join(" ")
    };
    assert_eq!(
        select(&["--tags", r"^1\.", "--newest", "3"]),
        "1.2.0 1.9.0-rc1 1.10.0"
    );
    assert_eq!(select(&["--newest", "2"]), "1.10.0 2.0.0");
    assert_eq!(select(&["--tags", "^(main|latest)$"]), "latest main");
    let none = ["mirror", &repository, &place, "--tags", "^9"];
    site.par(&none).exit(3);
    site.par(&["mirror", &repository, &place]).exit(2);
    site.par(&["mirror", &repository, &place, "--tags", "("])
        .exit(2);
    // If no reference is without a tag, the options are an error.
    let seen = site.origin.requests().len();
    let tagged = site.reference("http");
    for list in [&*tagged, "wadm.yaml"] {
        let refused = site.par(&["mirror", list, &place, "--newest", "1"]).exit(2);
        assert!(refused.stderr.contains("without a tag"), "{refused}");
    }
    assert_eq!(site.origin.requests().len(), seen);
}

#[test]
fn one_failing_reference_does_not_stop_the_others() {
    let site = Site::new();
    let (good, missing) = (site.reference("http"), site.reference("missing"));
    let list = format!("# A list\n{missing}\n{good} # good\nnot a reference\n{good}\n");
    let mut command = site.environment.command();
    command.args(["mirror", "-", &site.place(), "-o", "json"]);
    let outcome = Outcome::of(command, list.as_bytes());
    let answer = outcome.json();
    assert_statuses(&answer, "copied", &[("missing", "failed")]);
    assert_eq!(statuses(&answer).len(), 2);
    let failures = answer["failures"].as_array().unwrap();
    assert_eq!(failures.len(), 2, "{answer}");
    let kinds: Vec<_> = failures
        .iter()
        .map(|failure| failure["kind"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["usage", "not_found"]);
    assert_eq!(outcome.code, 2);
    assert_eq!(
        site.resolved(&site.mirrored("http")).as_deref(),
        Some(site.digest("http"))
    );
}

#[test]
fn a_wrong_list_or_mirror_is_refused_before_any_request() {
    let site = Site::new();
    let file = crate::transfer::pack(
        &site.environment,
        "some.par",
        std::path::Path::new("/bin/true"),
    );
    push(&site.environment, "oci-layout://plain:1.0", &file);
    for layout in ["oci-layout://empty:1", "oci-archive://empty.tar:1"] {
        push(&site.environment, layout, &file);
        site.par(&["delete", "--tag", "--force", layout]).success();
    }
    let place = site.place();
    for (list, mirror, code) in [
        ("none.txt", &*place, 3),
        ("some.par", &place, 2),
        ("wadm.yaml", "mirror", 2),
        ("wadm.yaml", "carried.tar", 2),
        ("wadm.yaml", "./carried.tar", 2),
        ("wadm.yaml", &format!("{place}:1"), 2),
        ("oci-layout://plain:1.0", &place, 2),
        ("oci-layout://plain", &place, 2),
        ("oci-layout://none", &place, 3),
        ("oci-layout://empty", &place, 3),
        ("empty.tar", &place, 3),
    ] {
        let outcome = site.par(&["mirror", list, mirror]);
        assert_eq!(outcome.code, code, "{outcome}");
    }
    assert_eq!(site.mirror.requests(), [""; 0]);
}

#[test]
fn a_list_that_is_neither_a_file_nor_a_reference_is_refused_with_the_reason() {
    let environment = Environment::new();
    let mirror = |list: &str| environment.par(["mirror", list, "oci-layout://mirror"]);
    let wrong = "ghcr.io/Org/provider:1.0";
    let refused = mirror(wrong).exit(2);
    let said = format!("`{wrong}` is neither a file that exists nor a reference: ");
    assert!(refused.stderr.contains(&said), "{refused}");
    assert!(refused.stderr.contains("upper-case"), "{refused}");
    let missing = mirror("./Lists/none.txt").exit(3);
    assert!(
        missing.stderr.contains("cannot read ./Lists/none.txt"),
        "{missing}"
    );
}
