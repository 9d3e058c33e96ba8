//! The command line: arguments, output, exit codes.
//!
//! A command is a file with its `Args` and a `run()` that makes one call into the library and gives an
//! [`Answer`]. Only this module talks to the terminal and decides on exit codes.

mod binaries;
mod cache;
mod completions;
mod copy;
mod create;
mod credentials;
mod dates;
mod delete;
mod deployment;
mod destination;
mod diff;
mod doctor;
mod editing;
mod escape;
mod extract;
mod fetch;
mod insert;
mod inspect;
mod interruption;
mod keys;
mod lock;
mod locked;
mod log;
mod login;
mod logout;
mod manual;
mod options;
mod output;
mod policy;
mod problem;
mod progress;
mod pull;
mod pulling;
mod push;
mod registry;
mod remove;
mod resolve;
mod schema;
mod session;
mod sign;
mod signing;
mod source;
mod tag;
mod tags;
mod terminal;
mod trust;
mod verify;

use std::ffi::OsString;
use std::pin::pin;
use std::process::ExitCode;
use std::time::Duration;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use futures_util::future::{Either, select};

use interruption::Interruption;
use options::{GlobalOptions, without_empty_variables};
use output::{Answer, Format, Output};
use problem::Problem;
use session::Session;

/// How long blocking work gets to notice an interruption and to clean up behind itself.
const GRACE: Duration = Duration::from_secs(5);

/// Pack, sign, push, pull, verify and cache wasmCloud provider archives (PAR)
#[derive(Parser)]
#[command(name = "par", version, arg_required_else_help = true, after_long_help = EXIT_CODES)]
pub(crate) struct Cli {
    #[command(flatten)]
    global: GlobalOptions,
    #[command(subcommand)]
    command: Command,
}

const EXIT_CODES: &str = "\
Exit codes:
  0    done
  1    anything else
  2    usage
  3    not found: reference, tag, file, target, key
  4    denied: credentials missing, wrong or insufficient
  5    not verified: digest, signature, hash, trust policy, malformed archive, configuration
  6    unavailable: network or registry; trying again may help
  7    conflict: the name exists with other content
  130  interrupted";

#[derive(Subcommand)]
enum Command {
    Keys(keys::Args),
    Create(create::Args),
    Insert(insert::Args),
    Remove(remove::Args),
    Sign(sign::Args),
    Inspect(inspect::Args),
    Verify(verify::Args),
    Diff(diff::Args),
    Extract(extract::Args),
    Push(push::Args),
    Pull(pull::Args),
    Fetch(fetch::Args),
    Copy(copy::Args),
    Cache(cache::Args),
    Lock(lock::Args),
    Login(login::Args),
    Logout(logout::Args),
    Trust(trust::Args),
    Tags(tags::Args),
    Resolve(resolve::Args),
    Tag(tag::Args),
    Delete(delete::Args),
    Doctor(doctor::Args),
    Completions(completions::Args),
    Manual(manual::Args),
}

impl Command {
    async fn run(self, session: &Session) -> anyhow::Result<Answer> {
        match self {
            Self::Keys(args) => keys::run(args, session).await,
            Self::Create(args) => create::run(args, session).await,
            Self::Insert(args) => insert::run(args, session).await,
            Self::Remove(args) => remove::run(args, session).await,
            Self::Sign(args) => sign::run(args, session).await,
            Self::Inspect(args) => inspect::run(args, session).await,
            Self::Verify(args) => verify::run(args, session).await,
            Self::Diff(args) => diff::run(args, session).await,
            Self::Extract(args) => extract::run(args, session).await,
            Self::Push(args) => push::run(args, session).await,
            Self::Pull(args) => pull::run(args, session).await,
            Self::Fetch(args) => fetch::run(args, session).await,
            Self::Copy(args) => copy::run(args, session).await,
            Self::Cache(args) => cache::run(args, session).await,
            Self::Lock(args) => lock::run(args, session).await,
            Self::Login(args) => login::run(args, session).await,
            Self::Logout(args) => logout::run(args, session).await,
            Self::Trust(args) => trust::run(args, session).await,
            Self::Tags(args) => tags::run(args, session).await,
            Self::Resolve(args) => resolve::run(args, session).await,
            Self::Tag(args) => tag::run(args, session).await,
            Self::Delete(args) => delete::run(args, session).await,
            Self::Doctor(args) => doctor::run(args, session).await,
            Self::Completions(args) => completions::run(args),
            Self::Manual(args) => manual::run(args).await,
        }
    }
}

/// Parses, runs, prints, and says how it ended.
pub fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let cli = match parse(&arguments) {
        Ok(cli) => cli,
        Err(error) => return Output::new(Format::asked_for(&arguments), false).usage(&error),
    };
    let output = Output::new(cli.global.format(), cli.global.quiet());
    match run(cli, &output) {
        Ok(answer) => output.answer(answer),
        Err(problem) => output.problem(&problem),
    }
}

fn parse(arguments: &[OsString]) -> Result<Cli, clap::Error> {
    let mut command = without_empty_variables(Cli::command());
    let mut matches = command.try_get_matches_from_mut(arguments)?;
    Cli::from_arg_matches_mut(&mut matches).map_err(|error| error.format(&mut command))
}

fn run(cli: Cli, output: &Output) -> Result<Answer, Problem> {
    cli.global.start_log();
    let interruption = Interruption::listen().map_err(|error| Problem::of(&error.into()))?;
    let session = Session::new(&cli.global, output.clone(), &interruption);
    let runtime = tokio::runtime::Runtime::new().map_err(|error| Problem::of(&error.into()))?;
    let outcome = runtime.block_on(async {
        let work = pin!(cli.command.run(&session));
        match select(work, pin!(interruption.wait())).await {
            Either::Left((outcome, _)) => Some(outcome),
            // Drops the work, and with it the files that it has not finished.
            Either::Right(_) => None,
        }
    });
    // Blocking work cannot be dropped. It sees the interruption at its next step, and is given time
    // for that. What has not begun is not waited for: so let begin what comes before this.
    let _ = runtime.block_on(runtime.spawn_blocking(|| ()));
    runtime.shutdown_timeout(GRACE);
    match outcome {
        Some(Ok(answer)) => Ok(answer),
        Some(Err(error)) if !interruption.requested() => Err(Problem::of(&error)),
        _ => Err(Problem::interrupted()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arguments_are_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_option_says_what_it_does() {
        fn check(command: &clap::Command) {
            for argument in command.get_arguments() {
                let id = argument.get_id();
                assert!(argument.get_help().is_some(), "{} {id}", command.get_name());
            }
            command.get_subcommands().for_each(check);
        }
        let mut command = Cli::command();
        command.build();
        check(&command);
    }

    #[test]
    fn the_version_of_a_provider_is_not_the_version_of_the_command() {
        let line = "par create -n Name -v Vendor -b x86_64-linux=file --version 1.2.3";
        assert!(Cli::try_parse_from(line.split(' ')).is_ok());
        let version = Cli::try_parse_from(["par", "--version"]).err().unwrap();
        assert_eq!(version.kind(), clap::error::ErrorKind::DisplayVersion);
    }
}
