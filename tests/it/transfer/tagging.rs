//! Tags of a push, tags that move, and digests that do not depend on file names.

use std::fs;
use std::sync::{Arc, Barrier};
use std::thread;

use serde_json::json;

use super::{par, push, requests_about, small, text};
use crate::support::proxy::{Fault, Proxy, Rule};
use crate::support::{Environment, Outcome, Registry, wait_until};

#[track_caller]
fn resolved(environment: &Environment, reference: &str) -> String {
    let outcome = par(environment, ["resolve", reference]).success();
    outcome.line().rsplit_once('@').unwrap().1.to_owned()
}

#[test]
fn a_tag_that_moves_is_reported_with_both_digests() {
    let (environment, registry) = (Environment::new(), Registry::start());
    let layout = "oci-layout://layout:1.2.3".to_owned();
    for reference in [registry.reference("provider:1.2.3"), layout] {
        let [one, two] = ["one.par", "two.par"].map(|name| small(&environment, name));
        let first = par(&environment, ["push", &reference, text(&one)]).success();
        assert!(first.stderr.starts_with("sent "), "{first}");
        let before = resolved(&environment, &reference);
        // A second push of one archive moves nothing.
        let again = par(&environment, ["push", &reference, text(&one)]).success();
        assert!(again.stderr.starts_with("sent 0 B"), "{again}");
        let outcome = par(&environment, ["push", &reference, text(&two), "-o", "json"]).success();
        let after = resolved(&environment, &reference);
        assert_ne!(before, after);
        let (note, summary) = outcome.stderr.split_once('\n').unwrap();
        assert_eq!(note, format!("1.2.3: {before} -> {after}"));
        assert!(summary.starts_with("sent "), "{outcome}");
        let moved = json!([{"tag": "1.2.3", "before": before}]);
        assert_eq!(outcome.json()["tags"], moved);
        // `par tag` reports it too.
        let by_digest = format!("{}@{before}", reference.strip_suffix(":1.2.3").unwrap());
        let outcome = par(&environment, ["tag", &by_digest, "1.2.3"]).success();
        assert_eq!(outcome.stderr, format!("1.2.3: {after} -> {before}\n"));
    }
}

#[test]
fn with_if_absent_no_tag_is_moved_and_nothing_is_sent() {
    let (environment, registry) = (Environment::new(), Registry::start());
    let reference = registry.reference("provider:1.2.3");
    let [one, two] = ["one.par", "two.par"].map(|name| small(&environment, name));
    let if_absent = |file, more: &[&str]| {
        let arguments = ["push", &reference, file, "--if-absent"];
        environment.par([&arguments[..], more].concat())
    };
    if_absent(text(&one), &[]).success();
    let before = resolved(&environment, &reference);
    // The tag names this archive already.
    if_absent(text(&one), &[]).success();
    let puts = requests_about(&registry, "PUT", "/blobs/uploads/");
    for more in [&[][..], &["--tag", "2"], &["--dry-run"]] {
        let outcome = if_absent(text(&two), more).exit(7);
        assert!(outcome.stderr.contains(&before), "{outcome}");
        assert!(outcome.stderr.contains("--if-absent"), "{outcome}");
    }
    assert_eq!(requests_about(&registry, "PUT", "/blobs/uploads/"), puts);
    assert_eq!(resolved(&environment, &reference), before);
    par(&environment, ["resolve", &registry.reference("provider:2")]).exit(3);

    let other = push(&environment, &registry.reference("provider:2.0.0"), &two);
    let repository = registry.reference("provider");
    let arguments = [
        "tag",
        &format!("{repository}@{other}"),
        "3",
        "1.2.3",
        "--if-absent",
    ];
    environment.par(arguments).exit(7);
    par(&environment, ["resolve", &format!("{repository}:3")]).exit(3);
}

#[test]
fn a_tag_that_cannot_be_looked_up_is_set_and_a_dry_run_reports_what_would_move() {
    let (environment, registry) = (Environment::new(), Registry::start());
    let [one, two] = ["one.par", "two.par"].map(|name| small(&environment, name));
    let reference = registry.reference("provider:1");
    let digest = push(&environment, &reference, &one);
    let dry = par(&environment, ["push", &reference, text(&two), "--dry-run"]).success();
    assert!(dry.stderr.contains(&format!("1: {digest} -> ")), "{dry}");
    assert_eq!(resolved(&environment, &reference), digest);
    let denied = Fault::status("403 Forbidden");
    let rule = Rule::on("HEAD", "/manifests/1", denied).always();
    let proxy = Proxy::start(&registry, vec![rule]);
    let reference = proxy.reference("provider:1");
    par(&environment, ["push", &reference, text(&two)]).success();
    par(
        &environment,
        ["push", &reference, text(&one), "--if-absent"],
    )
    .exit(4);
}

#[test]
fn if_absent_works_with_a_registry_that_does_not_answer_head() {
    let (environment, registry) = (Environment::new(), Registry::start());
    let [one, two] = ["one.par", "two.par"].map(|name| small(&environment, name));
    push(&environment, &registry.reference("provider:1"), &one);
    let missing = Fault::status("404 Not Found");
    let rule = Rule::on("HEAD", "/manifests/1", missing).always();
    let proxy = Proxy::start(&registry, vec![rule]);
    let arguments = [
        "push",
        &proxy.reference("provider:1"),
        text(&two),
        "--if-absent",
    ];
    environment.par(arguments).exit(7);
}

#[test]
fn if_absent_keeps_a_tag_that_another_client_sets_while_attachments_are_sent() {
    let (environment, registry) = (Environment::new(), Registry::start());
    let [one, two] = ["one.par", "two.par"].map(|name| small(&environment, name));
    environment.write("bill.txt", "a bill of materials");
    let barrier = Arc::new(Barrier::new(2));
    let held = Fault::Together(Arc::clone(&barrier));
    // The first manifest is that of the archive, and the second one that of the attachment.
    let rule = Rule::on("PUT", "/manifests/sha256:", held).after(1);
    let proxy = Proxy::start(&registry, vec![rule]);
    let reference = proxy.reference("provider:1");
    let attach = "bill.txt=application/vnd.example";
    let arguments = [
        "push",
        &reference,
        text(&one),
        "--if-absent",
        "--attach",
        attach,
    ];
    let taken = registry.reference("provider:1");
    let other = thread::scope(|scope| {
        let first = scope.spawn(|| environment.par(arguments));
        wait_until("the attachment is sent", || {
            proxy.seen("PUT", "/manifests/sha256:").len() == 2
        });
        let other = push(&environment, &taken, &two);
        barrier.wait();
        first.join().unwrap().exit(7);
        other
    });
    assert_eq!(resolved(&environment, &taken), other);
}

#[test]
fn one_push_or_one_tag_command_sets_several_tags() {
    let (environment, registry) = (Environment::new(), Registry::start());
    let repository = registry.reference("provider");
    let file = small(&environment, "one.par");
    let file = text(&file);
    let exact = format!("{repository}:1.2.3");
    let arguments = [
        "push", &exact, file, "--tag", "1.2", "--tag", "1", "--tag", "1",
    ];
    let outcome = environment.par([&arguments[..], &["-o", "json"]].concat());
    let tags = &outcome.success().json()["tags"];
    let given = ["1.2.3", "1.2", "1"].map(|tag| json!({"tag": tag, "before": null}));
    assert_eq!(tags, &json!(given));
    // The reference has no tag.
    let arguments = ["push", &repository, file, "--tag", "2", "--tag", "2.0"];
    environment.par(arguments).success();
    let digest = resolved(&environment, &exact);
    environment.par(["tag", &exact, "stable", "lts"]).success();
    for tag in ["1.2", "1", "2", "2.0", "stable", "lts"] {
        assert_eq!(
            resolved(&environment, &format!("{repository}:{tag}")),
            digest
        );
    }
    for wrong in ["a b", "latest", &exact, "-x"] {
        let arguments = ["push", &exact, file, &format!("--tag={wrong}")];
        environment.par(arguments).exit(2);
        environment
            .par(["tag", &exact, "good", "--", wrong])
            .exit(2);
    }
    par(&environment, ["resolve", &format!("{repository}:good")]).exit(3);
}

#[test]
fn a_dry_run_prints_the_reference_and_sends_nothing() {
    let (environment, registry) = (Environment::new(), Registry::start());
    let file = small(&environment, "one.par");
    fs::create_dir(environment.path("empty")).unwrap();
    for reference in [
        registry.reference("provider:1"),
        "oci-layout://new:1".to_owned(),
        "oci-layout://empty:1".to_owned(),
    ] {
        let arguments = ["push", &reference, text(&file)];
        let files = environment.files();
        let dry = environment.par([&arguments[..], &["--dry-run"]].concat());
        let dry = dry.success();
        assert_eq!(environment.files(), files);
        par(&environment, ["resolve", &reference]).exit(3);
        assert_eq!(dry.line(), environment.par(arguments).success().line());
    }
    let other = registry.reference("other:1");
    par(&environment, ["push", &other, text(&file), "--dry-run"]).success();
    let sent = ["POST", "PUT", "PATCH"].map(|method| requests_about(&registry, method, "other"));
    assert_eq!(sent, [0; 3]);
    // For an archive that does not verify, no reference is printed.
    let damaged = environment.write("damaged.par", &fs::read(&file).unwrap()[..4000]);
    par(&environment, ["push", &other, text(&damaged), "--dry-run"]).exit(5);
}

#[test]
fn the_digest_does_not_depend_on_the_name_of_the_file() {
    let (environment, registry) = (Environment::new(), Registry::start());
    let file = small(&environment, "one.par");
    let reference = registry.reference("provider:1");
    let digest = push(&environment, &reference, &file);
    let bytes = fs::read(&file).unwrap();
    let renamed = environment.write("another name.tar", &bytes);
    assert_eq!(push(&environment, &reference, &renamed), digest);
    let mut piped = environment.command();
    piped.args(["push", &reference, "-"]);
    let piped = Outcome::of(piped, &bytes).success();
    assert!(piped.line().ends_with(&digest), "{piped}");
    let pulled = par(&environment, ["pull", &reference]).success();
    let pulled = environment.path(pulled.line());
    assert_eq!(push(&environment, &reference, &pulled), digest);
}

#[test]
fn an_annotation_that_is_given_twice_is_an_error() {
    let environment = Environment::new();
    let file = small(&environment, "one.par");
    let arguments = [
        "push",
        "oci-layout://new:1",
        text(&file),
        "-a",
        "k=1",
        "-a",
        "k=2",
    ];
    let outcome = environment.par(arguments).exit(2);
    assert!(outcome.stderr.contains("`k` is given twice"), "{outcome}");
    assert!(!environment.path("new").exists());
}
