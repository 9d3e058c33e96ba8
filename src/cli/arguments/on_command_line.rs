//! Options that know whether the command line has one of them.

use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Command, FromArgMatches};

/// Options, and the first of them that is on the command line. A value from an environment variable does not count, because the
/// variable may be set for other commands.
pub(crate) struct OnCommandLine<T> {
    pub(crate) options: T,
    /// The name of the option, such as `--tag`. `None`: the command line has none of the options.
    pub(crate) first: Option<String>,
}

impl<T: clap::Args> OnCommandLine<T> {
    fn first_in(matches: &ArgMatches) -> Option<String> {
        let command = T::augment_args(Command::new(""));
        let is_given = |option: &&Arg| {
            let source = matches.value_source(option.get_id().as_str());
            source == Some(ValueSource::CommandLine)
        };
        let first = command.get_arguments().find(is_given)?;
        Some(format!("--{}", first.get_long()?))
    }
}

impl<T: clap::Args> FromArgMatches for OnCommandLine<T> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        Ok(Self {
            options: T::from_arg_matches(matches)?,
            first: Self::first_in(matches),
        })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        self.first = Self::first_in(matches);
        self.options.update_from_arg_matches(matches)
    }
}

impl<T: clap::Args> clap::Args for OnCommandLine<T> {
    fn augment_args(command: Command) -> Command {
        T::augment_args(command)
    }

    fn augment_args_for_update(command: Command) -> Command {
        T::augment_args_for_update(command)
    }
}
