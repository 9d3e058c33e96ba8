//! Options of the commands that can use the cache without asking the registry.

use std::time::Duration;

use anyhow::{Result, bail};
use clap::ValueEnum;

use crate::cli::output::Failure;
use crate::client::PullPolicy;

use super::dates::age;

/// When the registry is asked.
#[derive(Clone, clap::Args)]
pub(crate) struct PullArgs {
    /// When to ask the registry which manifest a tag names. A cached manifest that is named by its digest
    /// needs no registry. Default: `newer`
    #[arg(long, env = "PAR_PULL", value_enum, value_name = "WHEN")]
    pull: Option<When>,
    /// With `--pull missing`: how long the registry's last answer about a tag is used, in seconds, or as
    /// in `30m` or `24h`. After that, the registry is asked again. Default: for ever
    #[arg(long, value_name = "AGE", value_parser = age)]
    max_age: Option<Duration>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum When {
    /// Ask each time; fail when the registry does not answer
    Always,
    /// Ask each time; when the registry does not answer, use its last answer, with a warning
    Newer,
    /// Ask when the cache has no answer
    Missing,
    /// Never ask; fail when something is not in the cache
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
                Failure::usage("--max-age has no effect without `--pull missing`")
                    .hint("give --pull missing too")
            );
        }
        Ok(policy)
    }
}
