//! `par completions`

use std::process::Command;

use crate::support::{Environment, Outcome};

#[test]
fn scripts_contain_the_commands_and_their_options() {
    let environment = Environment::new();
    for shell in ["bash", "zsh", "fish"] {
        let script = environment.par(["completions", shell]).success().stdout;
        for word in [
            "inspect",
            "extract",
            "keys",
            "destination",
            "change-identity",
        ] {
            assert!(script.contains(word), "{shell}: {word}");
        }
        let json = environment
            .par(["completions", shell, "-o", "json"])
            .success()
            .json();
        assert_eq!(json["script"], script, "{shell}");
    }
}

#[test]
fn bash_accepts_its_script() {
    let environment = Environment::new();
    let script = environment.par(["completions", "bash"]).success().stdout;
    let mut bash = Command::new("bash");
    bash.arg("-n");
    let outcome = Outcome::of(bash, script.as_bytes()).success();
    assert_eq!(outcome.stderr, "");
}
