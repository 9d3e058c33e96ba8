//! A terminal on which a test types.

use std::fs;
use std::io::{Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use super::Environment;
use super::patience::{LIMIT, wait_until, while_watched};

/// The command `par` on a terminal.
pub(crate) struct Terminal {
    script: Child,
    keys: ChildStdin,
    output: ChildStdout,
    shown: String,
}

impl Terminal {
    /// Runs `par` with these arguments, which must not contain blanks.
    pub(crate) fn run(environment: &Environment, arguments: &[&str]) -> Self {
        let par = environment.command();
        let program = par.get_program().display();
        let line = format!("{program} {}", arguments.join(" "));
        let mut script = Command::new("script")
            .args(["--quiet", "--return", "--command", &line, "/dev/null"])
            .current_dir(environment.path(""))
            .env_clear()
            .envs(
                par.get_envs()
                    .filter_map(|(name, value)| Some((name, value?))),
            )
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        Self {
            keys: script.stdin.take().unwrap(),
            output: script.stdout.take().unwrap(),
            script,
            shown: String::new(),
        }
    }

    /// Waits until the terminal shows `prompt`.
    #[track_caller]
    pub(crate) fn expect(&mut self, prompt: &str) {
        let (output, shown) = (&mut self.output, &mut self.shown);
        while_watched(self.script.id(), LIMIT, || {
            while !shown.ends_with(prompt) {
                let mut byte = [0];
                let read = output.read_exact(&mut byte);
                read.unwrap_or_else(|error| panic!("{error} instead of {prompt:?} after {shown}"));
                shown.push(char::from(byte[0]));
            }
        });
    }

    /// Waits until the terminal shows `prompt` and does not show what is typed. The command shows a prompt
    /// just before it turns off the echo.
    #[track_caller]
    pub(crate) fn expect_hidden(&mut self, prompt: &str) {
        self.expect(prompt);
        let id = self.script.id();
        let children = fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap();
        let child = children.split_whitespace().next().unwrap();
        let device = fs::read_link(format!("/proc/{child}/fd/0")).unwrap();
        wait_until("the echo is off", || {
            let settings = Command::new("stty").arg("-aF").arg(&device).output();
            let settings = String::from_utf8(settings.unwrap().stdout).unwrap();
            settings.split_whitespace().any(|word| word == "-echo")
        });
    }

    /// Sends SIGTERM to the command, the youngest process on the terminal.
    pub(crate) fn terminate(&self) {
        let mut process = self.script.id();
        while let Ok(children) =
            fs::read_to_string(format!("/proc/{process}/task/{process}/children"))
            && let Some(child) = children.split_whitespace().next()
        {
            process = child.parse().unwrap();
        }
        let process = rustix::process::Pid::from_raw(process as i32).unwrap();
        rustix::process::kill_process(process, rustix::process::Signal::TERM).unwrap();
    }

    /// Types `keys`.
    pub(crate) fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
    }

    /// Waits until the command ends. Returns everything that the terminal has shown, and the exit code.
    #[track_caller]
    pub(crate) fn end(mut self) -> (String, Option<i32>) {
        let status = while_watched(self.script.id(), LIMIT, || {
            self.output.read_to_string(&mut self.shown).unwrap();
            self.script.wait().unwrap()
        });
        (self.shown, status.code())
    }
}
