//! `par completions`

use anyhow::Result;
use clap::Command;
use clap_complete::Shell;

use crate::cli::output::Answer;

/// Print a script that completes the arguments of `par` in a shell
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  par completions bash > ~/.local/share/bash-completion/completions/par
  par completions fish > ~/.config/fish/completions/par.fish")]
pub(crate) struct Args {
    /// The shell
    shell: Shell,
}

pub(crate) fn run(args: Args, mut par: Command) -> Result<Answer> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut par, "par", &mut script);
    let script = String::from_utf8(script)?;
    Ok(Answer::new(script.as_str())
        .field("shell", args.shell.to_string())
        .field("script", script))
}
