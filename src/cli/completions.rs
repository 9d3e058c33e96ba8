//! `par completions`

use clap::CommandFactory;
use clap_complete::Shell;

use super::Cli;
use super::output::Answer;

/// Print a script that completes the arguments of `par` in a shell
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The shell
    shell: Shell,
}

pub(crate) fn run(args: Args) -> anyhow::Result<Answer> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "par", &mut script);
    let script = String::from_utf8(script)?;
    Ok(Answer::new(script.clone())
        .field("shell", args.shell.to_string())
        .field("script", script))
}
