//! Runs compilers. Their output is read with a bound, their messages are shown, and they are stopped when this command
//! ends.

use std::io;
use std::path::Path;
use std::process::{ExitStatus, Stdio};

use anyhow::{Context, Error, Result, bail};
use futures_util::future::try_join;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::cli::output::{Failure, path_text};
use crate::cli::secret_variables::SECRET_VARIABLES;
use crate::cli::session::Session;
use crate::content::ErrorKind;

/// The longest line of output that is read, in bytes.
const LONGEST_LINE: u64 = 16 << 20;

/// The longest answer that is read, in bytes.
const LONGEST_ANSWER: u64 = 64 << 20;

/// A program with its arguments.
pub(super) struct Program {
    command: Command,
    name: String,
    /// Whether the program is looked for in `PATH`.
    is_in_path: bool,
}

impl Program {
    /// Prepares a program that runs in `directory`, without an input and without the secrets of the publisher. A path
    /// with a separator is relative to `directory`.
    pub(super) fn new(program: &Path, directory: &Path) -> Self {
        let is_path = program.components().count() > 1;
        let resolved = if is_path {
            directory.join(program)
        } else {
            program.to_owned()
        };
        // The new process enters `directory` before it looks for the program.
        let resolved = if is_path {
            std::path::absolute(&resolved).unwrap_or(resolved)
        } else {
            resolved
        };
        let mut command = Command::new(&resolved);
        command.stdin(Stdio::null()).kill_on_drop(true);
        for variable in SECRET_VARIABLES {
            command.env_remove(variable);
        }
        if !directory.as_os_str().is_empty() {
            command.current_dir(directory);
        }
        // With a group of its own, the program does not get Ctrl-C from the terminal. This command gets it, and ends
        // the whole group.
        #[cfg(unix)]
        command.process_group(0);
        Self {
            command,
            name: path_text(program),
            is_in_path: !is_path,
        }
    }

    /// Returns the command, to add arguments and variables.
    pub(super) fn command(&mut self) -> &mut Command {
        &mut self.command
    }

    /// Returns what the program prints on standard output, or an error if it fails. Its messages are shown.
    pub(super) async fn answer(mut self, session: &Session) -> Result<Vec<u8>> {
        self.command.stdout(Stdio::piped());
        let mut running = self.start(session)?;
        let output = running.child.stdout.take();
        let answer = read_answer(output);
        let ((answer, ()), status) = running.finish(answer, session).await?;
        if answer.len() as u64 > LONGEST_ANSWER {
            bail!(
                "the output of {} is longer than {LONGEST_ANSWER} bytes",
                self.name
            );
        }
        check(&self.name, status)?;
        Ok(answer)
    }

    /// Returns what the program prints on standard output, or `None` if it fails. Its messages are hidden.
    pub(super) async fn quiet_answer(mut self) -> Result<Option<Vec<u8>>> {
        self.command.stdout(Stdio::piped()).stderr(Stdio::null());
        let mut running = Running::new(self.spawn()?);
        let output = running.child.stdout.take();
        let answer = read_answer(output).await.context("cannot read an answer")?;
        let status = running.wait().await?;
        Ok(status.success().then_some(answer))
    }

    /// Runs the program, and calls `each` with each line of its standard output.
    pub(super) async fn lines(mut self, session: &Session, each: impl FnMut(&[u8])) -> Result<()> {
        self.command.stdout(Stdio::piped());
        let mut running = self.start(session)?;
        let output = running.child.stdout.take();
        let (_, status) = running.finish(read_lines(output, each), session).await?;
        check(&self.name, status)
    }

    /// Runs the program, and shows all of its output.
    pub(super) async fn run(mut self, session: &Session) -> Result<()> {
        // The program must not write to standard output, which is for the answer of this command.
        let is_json = session.logs_json();
        self.command.stdout(if is_json {
            Stdio::piped()
        } else {
            Stdio::from(io::stderr())
        });
        let mut running = self.start(session)?;
        let output = running.child.stdout.take();
        let shown = read_lines(output, |line| show(line, session));
        let (_, status) = running.finish(shown, session).await?;
        check(&self.name, status)
    }

    /// Starts the program. Its messages go to standard error, or are logged as JSON objects if the log has that format.
    fn start(&mut self, session: &Session) -> Result<Running> {
        self.command.stderr(if session.logs_json() {
            Stdio::piped()
        } else {
            Stdio::inherit()
        });
        Ok(Running::new(self.spawn()?))
    }

    fn spawn(&mut self) -> Result<Child> {
        self.command.spawn().map_err(|error| {
            let name = &self.name;
            let kind = ErrorKind::of_io(&error);
            let mut message = format!("cannot start {name}");
            let directory = self.command.as_std().get_current_dir();
            // A directory that is missing gives the same error as a program that is missing.
            if let Some(directory) = directory.filter(|directory| !directory.is_dir()) {
                message.push_str(&format!(" in the directory {}", path_text(directory)));
                return Error::new(error).context(Failure::new(kind, message));
            }
            let mut failure = Failure::new(kind, message);
            if kind == ErrorKind::NotFound && self.is_in_path {
                failure = failure.hint(format!("install {name}, so that it is in PATH"));
            }
            Error::new(error).context(failure)
        })
    }
}

/// Prints a line of a program in a JSON log, also with `--quiet`: where the log is text, the program itself prints it.
fn show(line: &[u8], session: &Session) {
    session.note_always(&String::from_utf8_lossy(line));
}

/// Returns an error if a program has failed. The program itself has printed the reason.
fn check(name: &str, status: ExitStatus) -> Result<()> {
    if !status.success() {
        bail!(Failure::new(
            ErrorKind::Other,
            format!("{name} failed: {status}")
        ));
    }
    Ok(())
}

/// A running program. Dropping it ends the program and the processes that the program has started.
struct Running {
    child: Child,
    has_ended: bool,
}

impl Running {
    fn new(child: Child) -> Self {
        Self {
            child,
            has_ended: false,
        }
    }

    /// Reads the output and the messages, and waits for the end.
    async fn finish<T>(
        mut self,
        output: impl Future<Output = io::Result<T>>,
        session: &Session,
    ) -> Result<((T, ()), ExitStatus)> {
        let messages = self.child.stderr.take();
        let shown = read_lines(messages, |line| show(line, session));
        let read = try_join(output, shown).await;
        let read = read.context("cannot read the output of the compiler")?;
        let status = self.wait().await?;
        Ok((read, status))
    }

    async fn wait(&mut self) -> Result<ExitStatus> {
        let status = self.child.wait().await;
        let status = status.context("cannot wait for the end of the compiler")?;
        self.has_ended = true;
        Ok(status)
    }
}

impl Drop for Running {
    /// Ends the group of processes and waits for it, because a compiler that continues would write to the project.
    fn drop(&mut self) {
        if self.has_ended {
            return;
        }
        #[cfg(unix)]
        if let Some(group) = self.child.id().and_then(|id| i32::try_from(id).ok())
            && let Some(group) = rustix::process::Pid::from_raw(group)
        {
            end_group(group, || matches!(self.child.try_wait(), Ok(None)));
        }
        #[cfg(not(unix))]
        let _ = self.child.start_kill();
    }
}

/// Asks a group of processes to end, and kills the remaining ones after three seconds. `leads` returns whether the
/// first process of the group still runs.
#[cfg(unix)]
fn end_group(group: rustix::process::Pid, mut leads: impl FnMut() -> bool) {
    use rustix::process::{Signal, kill_process_group, test_kill_process_group};
    use std::time::{Duration, Instant};
    let _ = kill_process_group(group, Signal::TERM);
    let asked = Instant::now();
    while leads() || test_kill_process_group(group).is_ok() {
        if asked.elapsed() > Duration::from_secs(3) {
            let _ = kill_process_group(group, Signal::KILL);
            return;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Reads up to one byte more than [`LONGEST_ANSWER`].
async fn read_answer(output: Option<impl AsyncRead + Unpin>) -> io::Result<Vec<u8>> {
    let mut answer = Vec::new();
    if let Some(output) = output {
        let mut output = output.take(LONGEST_ANSWER + 1);
        output.read_to_end(&mut answer).await?;
    }
    Ok(answer)
}

/// Calls `each` with each line, without its end.
async fn read_lines(
    output: Option<impl AsyncRead + Unpin>,
    mut each: impl FnMut(&[u8]),
) -> io::Result<()> {
    let Some(output) = output else {
        return Ok(());
    };
    let mut output = BufReader::new(output);
    let mut line = Vec::new();
    loop {
        line.clear();
        let mut bounded = (&mut output).take(LONGEST_LINE + 1);
        let count = bounded.read_until(b'\n', &mut line).await?;
        if count as u64 > LONGEST_LINE {
            let message = format!("a line is longer than {LONGEST_LINE} bytes");
            return Err(io::Error::new(io::ErrorKind::InvalidData, message));
        }
        if count == 0 {
            return Ok(());
        }
        each(line.trim_ascii_end());
    }
}
