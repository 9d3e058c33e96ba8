//! Pull policies: when the registry is asked what a tag stands for, and what happens when it does not answer.

use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use wasmcloud_par::archive::{Key, KeyKind, Target};
use wasmcloud_par::client::{Error, PullPolicy};
use wasmcloud_par::oci::Reference;

use super::Provider;
use crate::support::proxy::{Fault, Proxy, Rule};
use crate::support::{Environment, Outcome, block_on, wait_until};
use crate::transfer::{client, digest, pack, par, peer, push, text};

/// The expected outcome of a fetch.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Expected {
    /// The executable of the first fetch.
    Old,
    /// The executable of the first fetch, with a warning that the tag is unconfirmed.
    Unconfirmed,
    /// The executable that the tag was moved to.
    New,
    /// A failure with this exit code.
    Fails(i32),
}

use Expected::{Fails, New, Old, Unconfirmed};

/// The policies, in this order because only the last two may change the cache.
const POLICIES: [&str; 4] = ["never", "missing", "newer", "always"];

/// The state of the registry when a tag is fetched for the second time.
type Situation = (
    &'static str,
    fn(&Provider),
    Option<&'static str>,
    [Expected; 4],
);

const SITUATIONS: [Situation; 5] = [
    ("as it was", |_| {}, None, [Old, Old, Old, Old]),
    (
        "tag moved",
        |provider| drop(provider.move_tag()),
        None,
        [Old, Old, New, New],
    ),
    (
        "tag deleted",
        Provider::delete_tag,
        None,
        [Old, Old, Fails(3), Fails(3)],
    ),
    (
        "unavailable",
        |_| {},
        Some("503 Service Unavailable"),
        [Old, Old, Unconfirmed, Fails(6)],
    ),
    (
        "denied",
        |_| {},
        Some("403 Forbidden"),
        [Old, Old, Fails(4), Fails(4)],
    ),
];

#[test]
fn each_pull_policy_has_the_expected_outcome_in_each_situation() {
    for (situation, happens, answer, expected) in SITUATIONS {
        let mut provider = Provider::new();
        // The first fetch gets the manifest. Later ones get this answer.
        let rules = answer
            .map(|status| Rule::on("HEAD", "/manifests/1.0.0", Fault::status(status)).always());
        let proxy = Proxy::start(&provider.registry, rules.into_iter().collect());
        provider.reference = proxy.reference("provider:1.0.0");
        provider.fetches_the_executable();
        happens(&provider);
        for (policy, expected) in POLICIES.into_iter().zip(expected) {
            let case = format!("{situation}, --pull {policy}");
            let before = proxy.seen("HEAD", "").len();
            let outcome = fetch(&provider, &["--pull", policy]);
            check(&provider, &case, expected, &outcome);
            let asked = proxy.seen("HEAD", "").len() - before;
            match policy {
                "never" | "missing" => assert_eq!(asked, 0, "{case}"),
                _ if expected == Old => assert_eq!(asked, 1, "{case}"),
                _ => assert!(asked > 0, "{case}"),
            }
        }
    }
}

fn fetch(provider: &Provider, options: &[&str]) -> Outcome {
    let mut command = provider.environment.command();
    command.env("PAR_PATIENCE", "1");
    command.args(["fetch", &provider.reference]).args(options);
    Outcome::of(command, b"")
}

fn check(provider: &Provider, case: &str, expected: Expected, outcome: &Outcome) {
    let wanted = match expected {
        Fails(code) => code,
        Old | Unconfirmed | New => 0,
    };
    assert_eq!(outcome.code, wanted, "{case}: {outcome}");
    let warned = outcome.stderr.contains("unconfirmed since");
    assert_eq!(warned, expected == Unconfirmed, "{case}: {outcome}");
    let executable = match expected {
        Fails(_) => return assert_eq!(outcome.stdout, "", "{case}"),
        Old | Unconfirmed => provider.executable.clone(),
        New => digest(Path::new(super::TRUE)),
    };
    assert_eq!(digest(Path::new(outcome.line())), executable, "{case}");
}

#[test]
fn a_reference_that_is_not_cached_is_requested_or_not_found() {
    for (policy, code) in POLICIES.into_iter().zip([3, 0, 0, 0]) {
        let provider = Provider::new();
        let before = provider.registry.requests().len();
        let outcome = provider.fetch(&["--pull", policy]).exit(code);
        let asked = provider.requests_since(before).len();
        assert_eq!(asked > 0, code == 0, "{policy}");
        if code == 3 {
            assert!(outcome.stderr.contains("is not in the cache"), "{outcome}");
            assert!(outcome.stderr.contains("--pull missing"), "{outcome}");
            assert_eq!(provider.kept("partial"), [""; 0]);
        }
    }
}

#[test]
fn the_recorded_answer_about_a_tag_is_used_up_to_its_maximum_age() {
    let provider = Provider::new();
    provider.fetches_the_executable();
    let hour = ["--pull", "missing", "--max-age", "1h"];
    // A time in the future comes from a clock that was set back: the age is not known.
    for (seconds_ago, asked) in [(0, 0), (3000, 0), (4000, 1), (-4000, 1)] {
        provider.confirmed(seconds_ago);
        let before = provider.registry.requests().len();
        provider.fetch(&hour).success();
        let requests = provider.requests_since(before);
        let head = vec!["HEAD /v2/provider/manifests/1.0.0"; asked];
        assert_eq!(requests, head, "{seconds_ago}");
    }
    // The tag was confirmed just now.
    let before = provider.registry.requests().len();
    let seconds = ["--pull", "missing", "--max-age", "3600"];
    provider.fetch(&seconds).success();
    assert_eq!(provider.requests_since(before), [""; 0]);
}

#[test]
fn a_maximum_age_is_refused_without_pull_missing() {
    let environment = Environment::new();
    for pull in [&["--pull", "never"][..], &["--pull", "always"], &[]] {
        let arguments = ["fetch", "localhost:1/x:1", "--max-age", "30m"].into_iter();
        let outcome = environment
            .par(arguments.chain(pull.iter().copied()))
            .exit(2);
        assert!(outcome.stderr.contains("--pull missing"), "{outcome}");
    }
    let wrong = [
        "fetch",
        "localhost:1/x:1",
        "--pull",
        "missing",
        "--max-age",
        "soon",
    ];
    par(&environment, wrong).exit(2);
}

#[test]
fn the_environment_sets_the_policy_and_pull_obeys_it_too() {
    let provider = Provider::new();
    provider.fetches_the_executable();
    let before = provider.registry.requests().len();
    let pulled = provider.environment.path("pulled.par.gz");
    let mut command = provider.environment.command();
    command.env("PAR_PULL", "never");
    command.args(["pull", &provider.reference, "--destination", text(&pulled)]);
    Outcome::of(command, b"").success();
    assert_eq!(provider.requests_since(before), [""; 0]);
    assert_eq!(digest(&pulled), provider.layer);
}

#[test]
fn a_start_without_the_registry_waits_less_than_a_transfer() {
    let provider = Provider::new();
    provider.fetches_the_executable();
    let Provider {
        environment,
        registry,
        reference,
        executable,
        ..
    } = provider;
    drop(registry);
    let mut command = environment.command();
    command
        .env("PAR_PATIENCE", "50")
        .args(["fetch", &reference]);
    let started = Instant::now();
    let outcome = Outcome::of(command, b"").success();
    assert!(started.elapsed() < Duration::from_secs(40), "{outcome}");
    for said in ["retrying for 5 s", "no answer within 5 seconds"] {
        assert!(outcome.stderr.contains(said), "{outcome}");
    }
    assert_eq!(digest(Path::new(outcome.line())), executable);
}

#[test]
fn an_expected_digest_costs_no_second_request() {
    let provider = Provider::new();
    provider.fetches_the_executable();
    let before = provider.registry.requests().len();
    let pull = ["pull", &provider.reference, "--digest", &provider.manifest];
    par(&provider.environment, pull).success();
    let asked = provider.requests_since(before);
    assert_eq!(asked, ["HEAD /v2/provider/manifests/1.0.0"]);
}

/// The commands that resolve a tag and use the archive or a part of it.
const USES: [&str; 3] = ["fetch", "pull", "extract"];
/// The commands that resolve a tag and only show or verify the archive.
const LOOKS: [&str; 2] = ["verify", "inspect"];

fn run(provider: &Provider, command: &str, options: &[&str]) -> Outcome {
    let mut par = provider.environment.command();
    par.env("PAR_PATIENCE", "1");
    par.args([command, &provider.reference]).args(options);
    Outcome::of(par, b"")
}

#[test]
fn an_interrupted_update_leaves_the_old_version_usable() {
    for command in USES.into_iter().chain(LOOKS) {
        let mut provider = Provider::new();
        // The registry serves the first version, and only the manifest of the second.
        let away = Fault::status("503 Service Unavailable");
        let rule = Rule::on("GET", "/blobs/", away).after(1).always();
        let proxy = Proxy::start(&provider.registry, vec![rule]);
        provider.reference = proxy.reference("provider:1.0.0");
        provider.fetches_the_executable();
        provider.move_tag();
        let outcome = run(&provider, command, &[]);
        // Inspecting needs only the manifest.
        let code = if command == "inspect" { 0 } else { 6 };
        let outcome = outcome.exit(code);
        assert!(outcome.stderr.contains("has moved"), "{outcome}");
        let offline = fetch(&provider, &["--pull", "never"]);
        check(&provider, command, Old, &offline);
    }
}

#[test]
fn a_refused_update_leaves_the_old_version_usable() {
    let stranger = Key::generate(KeyKind::Account).public_key();
    for command in USES {
        let provider = Provider::new();
        provider.fetches_the_executable();
        provider.move_tag();
        let refused = run(&provider, command, &["--issuer", &stranger]).exit(5);
        assert!(refused.stderr.contains("has moved"), "{refused}");
        let offline = fetch(&provider, &["--pull", "never"]);
        check(&provider, command, Old, &offline);

        // After a fetch has accepted the update, it is used.
        run(&provider, command, &[]).success();
        let offline = fetch(&provider, &["--pull", "never"]);
        check(&provider, command, New, &offline);
    }
}

#[test]
fn inspecting_an_update_leaves_the_old_version_usable() {
    let environment = Environment::new();
    let file = pack(&environment, "provider.par.gz", Path::new(super::ECHO));
    // Older tools write no claims on the manifest: the archive is downloaded then.
    for annotated in [true, false] {
        for command in ["verify", "inspect", "diff"] {
            let provider = Provider::new();
            provider.fetches_the_executable();
            match annotated {
                true => drop(provider.move_tag()),
                false => {
                    let elsewhere = Environment::new();
                    let file = pack(&elsewhere, "other.par.gz", Path::new(super::TRUE));
                    peer::push(&provider.reference, &fs::read(file).unwrap());
                }
            }
            let mut look = vec![command, &provider.reference];
            if command == "diff" {
                look.insert(1, text(&file));
            }
            let outcome = provider.environment.par(look).success();
            assert!(outcome.stderr.contains("has moved"), "{outcome}");
            let offline = fetch(&provider, &["--pull", "never"]);
            let case = format!("{command}, annotated: {annotated}");
            check(&provider, &case, Old, &offline);
        }
    }
}

#[test]
fn a_late_answer_does_not_replace_a_newer_record() {
    let mut provider = Provider::new();
    // The answer with the manifest of the second version takes seconds, and the one with the third is fast.
    let later = Fault::answer("503 Service Unavailable", "retry-after", 3);
    let rule = Rule::on("GET", "/manifests/sha256", later);
    let proxy = Proxy::start(&provider.registry, vec![rule]);
    provider.reference = proxy.reference("provider:1.0.0");
    provider.fetches_the_executable();
    let elsewhere = Environment::new();
    let second = pack(&elsewhere, "second.par.gz", Path::new("/bin/false"));
    let third = pack(&elsewhere, "third.par.gz", Path::new(super::TRUE));
    let straight = provider.registry.reference("provider:1.0.0");
    push(&elsewhere, &straight, &second);
    thread::scope(|scope| {
        let late = scope.spawn(|| provider.fetch(&[]).success());
        wait_until("a request", || {
            !proxy.seen("GET", "/manifests/sha256").is_empty()
        });
        push(&elsewhere, &straight, &third);
        let outcome = fetch(&provider, &[]);
        check(&provider, "third", New, &outcome);
        let late = late.join().unwrap();
        assert_eq!(
            digest(Path::new(late.line())),
            digest(Path::new("/bin/false"))
        );
    });
    let offline = fetch(&provider, &["--pull", "never"]);
    check(&provider, "offline", New, &offline);
}

#[test]
fn a_tag_is_not_recorded_before_its_archive_was_served() {
    let mut provider = Provider::new();
    let away = Fault::status("503 Service Unavailable");
    let rule = Rule::on("GET", "/blobs/", away).times(20);
    let proxy = Proxy::start(&provider.registry, vec![rule]);
    provider.reference = proxy.reference("provider:1.0.0");
    run(&provider, "fetch", &[]).exit(6);
    assert_eq!(provider.kept("references"), [""; 0]);
}

#[test]
fn with_the_policy_never_a_client_resolves_and_locks_from_the_cache() {
    let provider = Provider::new();
    let client = client(provider.directory().parent().unwrap());
    let never = client.with_pull_policy(PullPolicy::Never);
    let reference: Reference = provider.reference.parse().unwrap();
    let references = std::slice::from_ref(&reference);
    let unknown = [
        block_on(never.resolve(&reference)).unwrap_err(),
        block_on(never.lock(references)).unwrap_err(),
    ];
    for error in unknown {
        assert!(matches!(error, Error::NotCached(_)), "{error}");
    }
    block_on(client.fetch(&reference, &Target::host())).unwrap();
    let before = provider.registry.requests().len();

    let resolved = block_on(never.resolve(&reference)).unwrap();
    assert_eq!(resolved.digest.to_string(), provider.manifest);
    let digests = block_on(never.digests(references)).unwrap();
    assert_eq!(digests.first(), Some(&resolved.digest));
    let lock = block_on(never.lock(references)).unwrap();
    assert_eq!(lock.find(&reference).unwrap().digest, resolved.digest);
    let pinned = reference.with_digest(resolved.digest.clone());
    assert_eq!(block_on(never.resolve(&pinned)).unwrap(), resolved);
    assert_eq!(provider.requests_since(before), [""; 0]);
}
