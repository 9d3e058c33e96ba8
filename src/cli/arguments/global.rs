//! Options of every command.

use std::ffi::OsStr;
use std::path::PathBuf;

use clap::builder::Resettable;
use clap::{ArgAction, Args, Command, ValueHint};

use crate::cli::output::Format;

/// Options of every command.
#[derive(Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct GlobalArgs {
    /// The format of what is printed on standard output
    #[arg(
        short,
        long,
        global = true,
        value_enum,
        default_value_t,
        value_name = "FORMAT"
    )]
    output: Format,
    /// Log each step to standard error; twice for details, three times for the network too. Default: only
    /// warnings
    #[arg(long, global = true, action = ArgAction::Count)]
    verbose: u8,
    /// Print only errors to standard error. Default: warnings and notes are printed too
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    quiet: bool,
    /// Show no progress bars. Default: shown for long steps when standard error is a terminal
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
}

impl GlobalArgs {
    pub(crate) fn format(&self) -> Format {
        self.output
    }

    pub(crate) fn quiet(&self) -> bool {
        self.quiet
    }

    /// How often `--verbose` is given.
    pub(crate) fn verbosity(&self) -> u8 {
        self.verbose
    }

    pub(crate) fn cache_directory(&self) -> Option<PathBuf> {
        self.cache_dir.clone()
    }

    /// Whether to show progress bars. Not beside a log: both would overwrite each other.
    pub(crate) fn shows_progress(&self) -> bool {
        !self.quiet && !self.no_progress && self.verbose == 0
    }
}

/// Ignores environment variables that are empty: by convention, an empty variable is not set. Options for
/// secrets still see an empty variable, because a secret that is missing by mistake must not be ignored.
pub(crate) fn without_empty_variables(command: Command) -> Command {
    let is_empty = |name: &OsStr| std::env::var_os(name).is_some_and(|value| value.is_empty());
    command
        .mut_args(|argument| match argument.get_env() {
            Some(name) if is_empty(name) && !argument.is_hide_env_values_set() => {
                argument.env(Resettable::Reset)
            }
            _ => argument,
        })
        .mut_subcommands(without_empty_variables)
}
