//! Options of the commands that can do without the registry.

use std::time::Duration;

use anyhow::{Result, bail};
use clap::ValueEnum;

use crate::cli::output::Failure;

use super::dates::age;
use crate::client::PullPolicy;

/// When the registry is asked.
#[derive(Clone, clap::Args)]
pub(crate) struct PullArgs {
    /// When to ask the registry what a tag stands for. A digest that is in the cache needs no registry.
    /// Default: `newer`
    #[arg(long, env = "PAR_PULL", value_enum, value_name = "WHEN")]
    pull: Option<When>,
    /// With `--pull missing`: how long what the registry said of a tag counts, in seconds, or as in
    /// `30m` or `24h`; after that it is asked again. Default: for ever
    #[arg(long, value_name = "AGE", value_parser = age)]
    max_age: Option<Duration>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum When {
    /// Each time; fails when the registry does not answer
    Always,
    /// Each time; when it does not answer, what it last said counts, with a warning
    Newer,
    /// When the cache does not know
    Missing,
    /// Never; fails when something is not in the cache
    Never,
}

impl PullArgs {
    pub(crate) fn policy(&self) -> Result<PullPolicy> {
        let max_age = self.max_age;
        let policy = match self.pull {
            Some(When::Missing) => return Ok(PullPolicy::Missing { max_age }),
            Some(When::Always) => PullPolicy::Always,
            Some(When::Never) => PullPolicy::Never,
            Some(When::Newer) | None => PullPolicy::Newer,
        };
        if max_age.is_some() {
            bail!(
                Failure::usage(
                    "--max-age says how long `--pull missing` does without the registry"
                )
                .hint("give --pull missing as well")
            );
        }
        Ok(policy)
    }
}
