//! Archives that become valid later: publishers push and read them, and hosts do not start them.

use super::{par, small, text};
use crate::support::{Environment, Outcome, Registry, create_arguments};

const LATER: &str = "2100-01-01";

/// Returns the path of an archive that becomes valid in the year 2100.
fn early(environment: &Environment) -> String {
    let executable = environment.write("build/provider", "an executable");
    let binary = format!("x86_64-linux={}", text(&executable));
    let file = "early.par.gz";
    let more = ["--compress", "--not-before", LATER, "--destination", file];
    environment.par(create_arguments(&binary, &more)).success();
    file.to_owned()
}

#[track_caller]
fn warns(outcome: &Outcome) {
    assert!(outcome.stderr.contains("2100-01-01T00:00:00Z"), "{outcome}");
    assert!(outcome.stderr.contains("warning"), "{outcome}");
}

#[test]
fn an_archive_that_becomes_valid_later_is_pushed_inspected_and_compared_with_a_warning() {
    let (environment, registry) = (Environment::new(), Registry::start());
    let file = early(&environment);
    let reference = registry.reference("provider:2.0.0");
    warns(&par(&environment, ["push", &reference, &file]).success());
    let mut piped = environment.command();
    piped.args(["push", &registry.reference("provider:piped"), "-"]);
    warns(&Outcome::of(piped, &std::fs::read(environment.path(&file)).unwrap()).success());

    let valid = small(&environment, "valid.par");
    for archive in [&file, &reference] {
        let inspected = par(&environment, ["inspect", archive, "-o", "json"]).success();
        warns(&inspected);
        let shown = par(&environment, ["inspect", archive]).success();
        let marked = "valid from 2100-01-01T00:00:00Z, not valid yet";
        assert!(shown.stdout.contains(marked), "{shown}");
        let issuer = inspected.json()["issuer"].as_str().unwrap().to_owned();
        assert!(inspected.stderr.contains(&issuer), "{inspected}");
        assert_eq!(inspected.json()["not_yet_valid"], true);
        let compared = par(&environment, ["diff", text(&valid), archive]).success();
        warns(&compared);
        assert!(compared.stdout.contains("not_before"), "{compared}");
    }
    let inspected = par(&environment, ["inspect", text(&valid), "-o", "json"]).success();
    assert!(inspected.json().get("not_yet_valid").is_none());
    assert_eq!(inspected.stderr, "");
    let listed = par(
        &environment,
        ["tags", &registry.reference("provider"), "--long"],
    );
    assert!(!listed.success().stdout.contains(" - "));
}

#[test]
fn nothing_of_an_archive_that_becomes_valid_later_is_handed_out() {
    let (environment, registry) = (Environment::new(), Registry::start());
    let file = early(&environment);
    let reference = registry.reference("provider:2.0.0");
    par(&environment, ["push", &reference, &file]).success();
    for archive in [file.as_str(), &reference] {
        par(&environment, ["verify", archive]).exit(5);
        par(
            &environment,
            ["extract", archive, "--target", "x86_64-linux"],
        )
        .exit(5);
    }
    par(&environment, ["pull", &reference]).exit(5);
    par(
        &environment,
        ["fetch", &reference, "--target", "x86_64-linux"],
    )
    .exit(5);
    // `par diff` has put the archive into the cache. It is still refused.
    par(&environment, ["diff", &file, &reference]).success();
    par(
        &environment,
        ["fetch", &reference, "--target", "x86_64-linux"],
    )
    .exit(5);
}
