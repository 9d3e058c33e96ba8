//! Environment variables in place of options.

use std::ffi::{OsStr, OsString};
use std::path::is_separator;

use clap::builder::Resettable;
use clap::error::{ContextKind, ContextValue};
use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Command};

/// Ignores environment variables that are empty: by convention, an empty variable is not set. Options for
/// secrets still see an empty variable, because a secret that is missing by mistake must not be ignored.
pub(super) fn without_empty_variables(command: Command) -> Command {
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

/// Changes an error of the parser so that it names the variable from which a value comes, and not the option.
pub(super) fn naming_variables(
    mut error: clap::Error,
    command: &Command,
    written: &[OsString],
) -> clap::Error {
    for kind in [ContextKind::InvalidArg, ContextKind::PriorArg] {
        if let Some(ContextValue::String(argument)) = error.get(kind)
            && let Some(variable) = variable_of(argument, command, written)
        {
            error.insert(kind, ContextValue::String(variable));
        }
    }
    error
}

/// Returns the variable that gives the value of the option that clap displays as `shown`. `None` if the arguments in
/// `written` have the option, or no variable is set for it.
fn variable_of(shown: &str, command: &Command, written: &[OsString]) -> Option<String> {
    let found = command.get_arguments().find_map(|argument| {
        let variable = argument.get_env()?.to_str()?;
        // `--option <VALUE>`
        let option = shown.split_whitespace().next()?.strip_prefix("--")?;
        let is_it = argument.get_long() == Some(option)
            && std::env::var_os(variable).is_some()
            && !written.iter().any(|word| is_option(argument, word));
        is_it.then(|| variable.to_owned())
    });
    found.or_else(|| {
        let mut below = command.get_subcommands();
        below.find_map(|command| variable_of(shown, command, written))
    })
}

/// Whether a word of the command line is an option, with or without its value.
fn is_option(argument: &Arg, word: &OsStr) -> bool {
    let word = word.to_string_lossy();
    let is_long = argument.get_long().is_some_and(|long| {
        let rest = word
            .strip_prefix("--")
            .and_then(|word| word.strip_prefix(long));
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('='))
    });
    let is_short = argument.get_short().is_some_and(|short| {
        let rest = word.strip_prefix('-').filter(|rest| !rest.starts_with('-'));
        rest.is_some_and(|rest| rest.starts_with(short))
    });
    is_long || is_short
}

/// A path from an environment variable, or the value of a variable for a secret, which may be a path.
#[derive(Clone)]
pub(super) struct Given {
    variable: String,
    path: String,
}

impl Given {
    /// Returns the paths that the command gets from variables.
    pub(super) fn paths(command: &Command, matches: &ArgMatches) -> Vec<Self> {
        let mut given: Vec<Self> = command
            .get_arguments()
            .filter(|argument| is_path(argument) || argument.is_hide_env_values_set())
            .filter_map(|argument| {
                let from = matches.value_source(argument.get_id().as_str());
                let variable = argument
                    .get_env()
                    .filter(|_| from == Some(ValueSource::EnvVariable))?;
                Some(Self {
                    path: std::env::var_os(variable)?.to_string_lossy().into_owned(),
                    variable: variable.to_string_lossy().into_owned(),
                })
            })
            .collect();
        if let Some((name, matches)) = matches.subcommand()
            && let Some(command) = command.find_subcommand(name)
        {
            given.extend(Self::paths(command, matches));
        }
        given
    }

    /// Appends to `message` the names of the variables that gave the paths in it, except names that it contains already.
    pub(super) fn name_variables(given: &[Self], message: String) -> String {
        given
            .iter()
            .fold(message, |message, Self { variable, path }| {
                let is_behind = !path.is_empty() && mentions(&message, path);
                if is_behind && !message.contains(variable) {
                    format!("{message} (from {variable})")
                } else {
                    message
                }
            })
    }
}

/// Returns whether a message contains a path as a word, or as the start of a longer path.
fn mentions(message: &str, path: &str) -> bool {
    let is_around = |letter: char| letter.is_whitespace() || "`'\"():,;".contains(letter);
    message.match_indices(path).any(|(begin, _)| {
        let (before, rest) = message.split_at_checked(begin).unwrap_or_default();
        let after = rest.strip_prefix(path).unwrap_or_default();
        before.chars().next_back().is_none_or(is_around)
            && after
                .chars()
                .next()
                .is_none_or(|letter| is_around(letter) || is_separator(letter))
    })
}

fn is_path(argument: &Arg) -> bool {
    use clap::ValueHint::{AnyPath, DirPath, FilePath};
    matches!(argument.get_value_hint(), AnyPath | DirPath | FilePath)
}

#[cfg(test)]
#[path = "tests/variables.rs"]
mod tests;
