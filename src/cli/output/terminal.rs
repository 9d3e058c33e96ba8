//! Asks the user questions on the terminal.

use std::io::{self, BufRead, Write};

/// The longest line that is read, in bytes.
const LONGEST: u64 = 64 * 1024;

/// Asks a question, and returns the line that the user types, without its line end. Returns `None` at the end of the
/// input.
pub(crate) fn ask(question: &str) -> io::Result<Option<String>> {
    // Standard error is locked only for the question, so that an interruption can be reported while this waits.
    write_error(question)?;
    let answer = read_line(io::stdin().lock())?;
    if answer.is_none() {
        // After Control-D, the cursor is still behind the question.
        write_error("\n")?;
    }
    Ok(answer)
}

/// Returns the next line of `input` without its end, or `None` at the end of `input`. A longer line than 64 KiB is an error.
pub(crate) fn read_line(input: impl BufRead) -> io::Result<Option<String>> {
    let mut line = String::new();
    let read = input.take(LONGEST + 1).read_line(&mut line)?;
    if read as u64 > LONGEST {
        let message = format!("the line has more than {LONGEST} bytes");
        return Err(io::Error::new(io::ErrorKind::InvalidData, message));
    }
    Ok((read > 0).then(|| line.trim_end_matches(['\r', '\n']).to_owned()))
}

/// The settings of the terminal. Dropping this value restores them: an interruption of the question for a password would
/// leave the terminal without echo.
#[cfg(unix)]
pub(crate) struct TerminalSettings(Option<rustix::termios::Termios>);

#[cfg(unix)]
impl TerminalSettings {
    pub(crate) fn keep() -> Self {
        Self(rustix::termios::tcgetattr(io::stdin()).ok())
    }
}

#[cfg(unix)]
impl Drop for TerminalSettings {
    fn drop(&mut self) {
        if let Some(settings) = &self.0 {
            let now = rustix::termios::OptionalActions::Now;
            if let Err(error) = rustix::termios::tcsetattr(io::stdin(), now, settings) {
                tracing::debug!(%error, "the settings of the terminal are not restored");
            }
        }
    }
}

/// The settings of the terminal, which only Unix has.
#[cfg(not(unix))]
pub(crate) struct TerminalSettings;

#[cfg(not(unix))]
impl TerminalSettings {
    pub(crate) fn keep() -> Self {
        Self
    }
}

fn write_error(text: &str) -> io::Result<()> {
    let mut stderr = io::stderr().lock();
    write!(stderr, "{text}")?;
    stderr.flush()
}

#[cfg(test)]
#[path = "tests/terminal.rs"]
mod tests;
