//! Parses the command line, runs the command and prints its answer.

use std::ffi::OsString;
use std::io::IsTerminal;
use std::path::PathBuf;
use std::pin::pin;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::{ArgAction, CommandFactory, FromArgMatches, Parser, ValueHint};
use futures_util::future::{Either, select};
use tokio::time::timeout;

use crate::content::close_workers;

use super::commands::Command;
use super::interruption::Interruption;
use super::output::{
    Answer, Bars, Display, Format, Formats, LOG_FORMAT, Lines, LogFormat, Printer, Problem, log,
};
use super::panics;
use super::session::Session;
use super::threads::blocking_work_ended;
use super::variables::{Given, naming_variables, without_empty_variables};

/// How long the command waits for blocking work to stop and to clean up after an interruption.
const GRACE: Duration = Duration::from_secs(5);

/// Pack, sign, push, pull, verify and cache wasmCloud provider archives (PAR)
#[derive(Parser)]
#[command(
    name = "par",
    version,
    arg_required_else_help = true,
    after_help = EXAMPLES,
    after_long_help = format!("{EXAMPLES}\n\n{EXIT_CODES}")
)]
struct Cli {
    #[command(flatten)]
    global: GlobalArgs,
    #[command(subcommand)]
    command: Command,
}

/// Options of every command.
#[derive(clap::Args)]
#[command(next_help_heading = "Global options")]
struct GlobalArgs {
    /// The format of standard output
    #[arg(
        short,
        long,
        global = true,
        value_enum,
        default_value_t,
        value_name = "FORMAT"
    )]
    output: Format,
    /// The format of standard error
    #[arg(
        long,
        global = true,
        value_enum,
        default_value_t,
        env = LOG_FORMAT,
        value_name = "FORMAT"
    )]
    log_format: LogFormat,
    /// Log each step to standard error; twice for details, three times for the network too. Default: only
    /// warnings
    #[arg(long, global = true, action = ArgAction::Count)]
    verbose: u8,
    /// Print only errors, the paths of new keys and the output of compilers to standard error. Default: warnings and notes
    /// are printed too
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    quiet: bool,
    /// Show no progress. Default: long steps have bars when standard error is a terminal, and a line every 15 seconds
    /// when it is not
    #[arg(long, global = true)]
    no_progress: bool,
    /// The directory of the cache. Default: `wasmcloud-par` in `$XDG_CACHE_HOME` or `~/.cache`
    #[arg(
        long,
        global = true,
        env = "PAR_CACHE_DIR",
        value_name = "DIR",
        value_hint = ValueHint::DirPath
    )]
    cache_dir: Option<PathBuf>,
    /// The directory of the pins of repositories. Default: `wasmcloud-par` in `$XDG_STATE_HOME` or
    /// `~/.local/state`
    #[arg(
        long,
        global = true,
        env = "PAR_STATE_DIR",
        value_name = "DIR",
        value_hint = ValueHint::DirPath
    )]
    state_dir: Option<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  par create -n Key-value -v Example -b build/provider --compress
  par push ghcr.io/org/provider:1.0.0 provider.par.gz
  par fetch ghcr.io/org/provider:1.0.0";

/// The options that need the feature `sigstore`, as examples have them.
const SIGSTORE: [&str; 2] = [" --sigstore", " --identity "];

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

/// Returns the definition of the command line: commands, arguments and help.
#[must_use]
#[cfg_attr(not(feature = "internals"), allow(unreachable_pub))]
pub fn definition() -> clap::Command {
    let command = Cli::command();
    if cfg!(feature = "sigstore") {
        command
    } else {
        command.mut_subcommands(without_sigstore)
    }
}

/// Removes the examples that need the feature `sigstore` from the help of a command.
fn without_sigstore(command: clap::Command) -> clap::Command {
    let examples = command.get_after_help().map(ToString::to_string);
    let Some(examples) = examples else {
        return command;
    };
    let needs_sigstore = |line: &&str| SIGSTORE.iter().any(|option| line.contains(option));
    let lines: Vec<_> = examples
        .lines()
        .filter(|line| !needs_sigstore(line))
        .collect();
    command.after_help(lines.join("\n"))
}

/// Parses the arguments of the process, runs the command, prints its answer, and returns its exit code.
#[must_use]
pub fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let (cli, given) = match parse(&arguments) {
        Ok(parsed) => parsed,
        Err(error) => {
            let formats = Formats {
                output: Format::requested_in(&arguments),
                log: LogFormat::requested_in(&arguments, std::env::var_os(LOG_FORMAT).as_deref()),
            };
            return Printer::new(formats, false).usage(&error);
        }
    };
    let formats = Formats {
        output: cli.global.output,
        log: cli.global.log_format,
    };
    let printer = Printer::new(formats, cli.global.quiet);
    panics::report(&printer);
    match run(cli, &printer) {
        Ok(answer) => printer.answer(answer),
        Err(problem) => printer.problem(Problem {
            message: Given::name_variables(&given, problem.message),
            ..problem
        }),
    }
}

/// Returns the parsed arguments, and the paths that come from environment variables.
fn parse(arguments: &[OsString]) -> Result<(Cli, Vec<Given>), clap::Error> {
    let mut command = without_empty_variables(definition());
    let mut matches = command
        .try_get_matches_from_mut(arguments)
        .map_err(|error| naming_variables(error, &command, arguments))?;
    let given = Given::paths(&command, &matches);
    let cli =
        Cli::from_arg_matches_mut(&mut matches).map_err(|error| error.format(&mut command))?;
    Ok((cli, given))
}

fn run(cli: Cli, printer: &Printer) -> Result<Answer, Problem> {
    let global = cli.global;
    let log_format = global.log_format;
    log::start(global.verbose, global.quiet, log_format, printer.warnings());
    let interruption = Interruption::listen().map_err(|error| Problem::of(&error.into()))?;
    let display = if global.quiet || global.no_progress {
        Display::Hidden
    } else if !std::io::stderr().is_terminal() {
        let printer = printer.clone();
        Display::Lines(Lines::new(move |line| printer.note(line)))
    } else if global.verbose == 0 && global.log_format == LogFormat::Text {
        Display::Bars
    } else {
        // Bars and a log would overwrite each other.
        Display::Hidden
    };
    let bars = Bars::new(display, interruption.clone());
    let session = Session::new(
        printer.clone(),
        Arc::new(bars),
        interruption.clone(),
        global.cache_dir,
        global.state_dir,
    );
    let runtime = tokio::runtime::Runtime::new().map_err(|error| Problem::of(&error.into()))?;
    let work = cli.command.run(&session, definition);
    let (outcome, grace) = runtime.block_on(until_interrupted(work, &interruption, GRACE));
    close_workers(runtime.handle());
    // Blocking work cannot be dropped. It notices the interruption at its next step, and `shutdown_timeout` gives it
    // time for that. But `shutdown_timeout` does not wait for queued tasks that have not begun. This task is queued last,
    // so all other tasks have begun when it runs.
    let _ = runtime.block_on(runtime.spawn_blocking(|| ()));
    runtime.shutdown_timeout(grace);
    match outcome {
        Some(Ok(answer)) => Ok(answer),
        Some(Err(error)) if !interruption.requested() && !is_interruption(&error) => {
            Err(Problem::of(&error))
        }
        _ => Err(Problem::interrupted()),
    }
}

/// Waits for the end of the work of a command, or for an interruption. Returns the outcome if the work has ended, and
/// what is left of `grace`, the time in which blocking work has to stop.
async fn until_interrupted<T>(
    work: impl Future<Output = T>,
    interruption: &Interruption,
    grace: Duration,
) -> (Option<T>, Duration) {
    let stop = async {
        interruption.wait().await;
        let since = Instant::now();
        // The outcome of blocking work is not thrown away: it may be all that the command had to do.
        let ended = timeout(grace, blocking_work_ended()).await;
        if ended.is_err() && interruption.is_in_last_step() {
            tracing::warn!(
                "finishing the last step, which must not be left half done; another signal ends it at once"
            );
            blocking_work_ended().await;
        }
        grace.saturating_sub(since.elapsed())
    };
    // If both are ready, the outcome of the work counts.
    match select(pin!(work), pin!(stop)).await {
        Either::Left((outcome, _)) => (Some(outcome), grace),
        // The work was interrupted. Dropping it removes its unfinished files.
        Either::Right((left, _)) => (None, left),
    }
}

/// Returns whether a question on the terminal was answered with Ctrl-C. The question can end with an error before the
/// signal arrives.
fn is_interruption(error: &anyhow::Error) -> bool {
    let mut causes = error.chain().filter_map(|cause| cause.downcast_ref());
    causes.any(|cause: &std::io::Error| cause.kind() == std::io::ErrorKind::Interrupted)
}

#[cfg(test)]
#[path = "tests/run.rs"]
mod tests;
