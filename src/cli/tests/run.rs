use std::future::pending;
use std::sync::mpsc::channel;
use std::task::{Context, Poll, Waker};

use super::*;
use crate::cli::secret_variables::SECRET_VARIABLES;
use crate::cli::threads::blocking;

/// Calls `check` with every command and its path, such as `par cache list`.
fn for_each_command(check: &mut dyn FnMut(&str, &clap::Command)) {
    fn visit(path: &str, command: &clap::Command, check: &mut dyn FnMut(&str, &clap::Command)) {
        check(path, command);
        for below in command.get_subcommands() {
            visit(&format!("{path} {}", below.get_name()), below, check);
        }
    }
    let mut command = Cli::command().disable_help_subcommand(true);
    command.build();
    visit("par", &command, check);
}

#[test]
fn the_arguments_are_consistent() {
    Cli::command().debug_assert();
}

#[test]
fn every_option_has_a_help_text() {
    for_each_command(&mut |path, command| {
        for argument in command.get_arguments() {
            let id = argument.get_id();
            assert!(argument.get_help().is_some(), "{path} {id}");
        }
    });
}

#[test]
fn compilers_get_no_variable_whose_value_is_hidden_in_the_help() {
    for_each_command(&mut |path, command| {
        let hidden = command
            .get_arguments()
            .filter(|argument| argument.is_hide_env_values_set());
        for variable in hidden.filter_map(clap::Arg::get_env) {
            let is_secret = SECRET_VARIABLES.iter().any(|secret| variable == *secret);
            assert!(is_secret, "{path}: {variable:?}");
        }
    });
}

#[test]
fn every_command_has_examples_that_parse() {
    for_each_command(&mut |path, command| {
        let help = if path == "par" {
            EXAMPLES.to_owned()
        } else {
            command
                .get_after_help()
                .map(ToString::to_string)
                .unwrap_or_default()
        };
        let examples = help
            .strip_prefix("Examples:\n")
            .map(|examples| examples.replace("\\\n", ""));
        let examples = examples.unwrap_or_else(|| panic!("{path} has no examples"));
        for example in examples.lines().take_while(|line| !line.is_empty()) {
            // The shell handles redirections, pipes and substitutions.
            let words = example.split(['<', '>', '|']).next().unwrap_or_default();
            let words = words
                .split_whitespace()
                .take_while(|word| !word.starts_with("\"$("));
            let words: Vec<&str> = words.collect();
            let substitutes = example.contains("$(");
            assert!(words.first() == Some(&"par"), "{path}: {example}");
            if let Some(error) = Cli::try_parse_from(&words).err().filter(|_| !substitutes) {
                panic!("{path}: {example}\n{error}");
            }
        }
    });
}

#[test]
fn the_version_of_a_provider_is_not_the_version_of_the_command() {
    let line = "par create -n Name -v Vendor -b x86_64-linux=file --version 1.2.3";
    assert!(Cli::try_parse_from(line.split(' ')).is_ok());
    let version = Cli::try_parse_from(["par", "--version"]).err().unwrap();
    assert_eq!(version.kind(), clap::error::ErrorKind::DisplayVersion);
}

#[test]
fn a_question_that_control_c_ends_is_an_interruption() {
    let of = |kind: std::io::ErrorKind| anyhow::Error::from(std::io::Error::from(kind));
    let asked = of(std::io::ErrorKind::Interrupted).context("cannot ask for a password");
    assert!(is_interruption(&asked));
    assert!(!is_interruption(&of(std::io::ErrorKind::NotFound)));
}

#[tokio::test]
async fn the_outcome_of_blocking_work_counts_after_an_interruption() {
    let long = Duration::from_hours(1);
    for (grace, is_last_step, has_more_to_do, counts) in [
        (long, false, false, true),
        (long, false, true, false),
        // The work does not stop in time.
        (Duration::ZERO, false, false, false),
        (Duration::ZERO, true, false, true),
    ] {
        let interruption = Interruption::default();
        let ((begin, begun), (end, ended)) = (channel(), channel::<()>());
        let state = interruption.clone();
        let work = async move {
            let outcome = blocking(move || {
                if is_last_step {
                    state.begin_last_step()?;
                }
                begin.send(())?;
                let _ = ended.recv();
                Ok(7)
            });
            let outcome = outcome.await;
            if has_more_to_do {
                pending::<()>().await;
            }
            outcome
        };
        let mut running = pin!(until_interrupted(work, &interruption, grace));
        let mut poll = || {
            let mut context = Context::from_waker(Waker::noop());
            matches!(running.as_mut().poll(&mut context), Poll::Pending)
        };
        assert!(poll());
        begun.recv().unwrap();
        interruption.request();
        if counts || has_more_to_do {
            assert!(poll(), "the work is not waited for");
            end.send(()).unwrap();
        }
        let (outcome, left) = running.await;
        assert_eq!(outcome.is_some(), counts);
        assert!(left <= grace);
        assert!(interruption.begin_last_step().is_err());
    }
}
