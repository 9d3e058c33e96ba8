//! Options that several commands share.

use std::ffi::OsStr;
use std::path::PathBuf;

use clap::builder::Resettable;
use clap::{ArgAction, Args, Command, ValueHint};

use crate::cli::output::Format;

/// Options of every command.
#[derive(Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct GlobalArgs {
    /// The form of what is printed on standard output
    #[arg(
        short,
        long,
        global = true,
        value_enum,
        default_value_t,
        value_name = "FORMAT"
    )]
    output: Format,
    /// Log what is done to standard error; twice for details, three times for the network as well.
    /// Default: warnings only
    #[arg(long, global = true, action = ArgAction::Count)]
    verbose: u8,
    /// Print nothing to standard error but errors. Default: warnings and notes are printed
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    quiet: bool,
    /// Show no progress bars. Default: shown for steps that take long, when standard error is a
    /// terminal
    #[arg(long, global = true)]
    no_progress: bool,
    /// The folder of the cache. Default: `wasmcloud-par` in `$XDG_CACHE_HOME` or `~/.cache`
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

    pub(crate) fn cache_directory(&self) -> Option<PathBuf> {
        self.cache_dir.clone()
    }

    /// Log lines and bars would overwrite each other: whoever wants the log gets no bars.
    pub(crate) fn shows_progress(&self) -> bool {
        !self.quiet && !self.no_progress && self.verbose == 0
    }

    /// How often `--verbose` is given.
    pub(crate) fn verbosity(&self) -> u8 {
        self.verbose
    }
}

/// Without the environment variables that are set to nothing, which is usual, and means that they are not
/// set. On the command line nothing is no value. What is secret is left to its option: a secret that is
/// missing is no secret that is not wanted.
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
