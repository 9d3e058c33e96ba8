//! A terminal with somebody before it.

use std::io::{Read, Write};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use super::Environment;
use super::patience::{LIMIT, while_watched};

/// Runs `par` with these arguments on a terminal, where each prompt is answered with these keys. Gives what
/// the terminal showed, and the exit code.
#[track_caller]
pub(crate) fn on_a_terminal(
    environment: &Environment,
    arguments: &[&str],
    answers: &[(&str, &str)],
) -> (String, Option<i32>) {
    let par = environment.command();
    let program = par.get_program().display();
    let line = format!("{program} {}", arguments.join(" "));
    let mut script = Command::new("script");
    script
        .args(["--quiet", "--return", "--command", &line, "/dev/null"])
        .current_dir(environment.path(""))
        .env_clear()
        .envs(
            par.get_envs()
                .filter_map(|(name, value)| Some((name, value?))),
        )
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    let mut script = script.spawn().unwrap();
    let mut input = script.stdin.take().unwrap();
    let mut output = script.stdout.take().unwrap();
    let mut shown = String::new();
    let status = while_watched(script.id(), LIMIT, || {
        for (prompt, keys) in answers {
            while !shown.ends_with(prompt) {
                let mut byte = [0];
                output.read_exact(&mut byte).unwrap();
                shown.push(char::from(byte[0]));
            }
            // The prompt is shown just before the terminal is told to show nothing.
            thread::sleep(Duration::from_millis(300));
            input.write_all(keys.as_bytes()).unwrap();
        }
        output.read_to_string(&mut shown).unwrap();
        script.wait().unwrap()
    });
    (shown, status.code())
}
