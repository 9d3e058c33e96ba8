//! User and password: from options, environment variables, standard input or the terminal.

use std::io::{BufRead, IsTerminal};
use std::sync::{Arc, OnceLock};

use anyhow::{Context, Result, bail};

use crate::cli::files;
use crate::cli::output::terminal::read_line;
use crate::cli::output::{Failure, terminal};

use super::side::{Side, SideName};

/// The warning about `--password`.
pub(crate) const PASSWORD_ON_COMMAND_LINE: &str = "a password on the command line is visible in the list of \
     processes and in the shell's history: use --password-stdin or WASH_REG_PASSWORD";

const USER: &str = "WASH_REG_USER";
const PASSWORD: &str = "WASH_REG_PASSWORD";
const GIVE_USER: &str = "give --user or WASH_REG_USER";

/// A user and a password. No `Debug`: one of the options is a secret.
#[derive(Clone, clap::Args)]
#[command(next_help_heading = "Registry options")]
pub(crate) struct CredentialArgs {
    /// The user to log in as. Default: the user that `par login`, Docker or Podman have stored for the
    /// registry, else anonymous
    #[arg(short, long, env = USER, value_name = "USER")]
    user: Option<String>,
    /// The password, or a token in place of one. Other users of this machine can see it in the list of
    /// processes: prefer --password-stdin. Default: $WASH_REG_PASSWORD
    #[arg(short, long, value_name = "PASSWORD")]
    password: Option<String>,
    /// Read the password from the first line of standard input, and ignore --password. Default: standard
    /// input is not read
    #[arg(long)]
    password_stdin: bool,
    /// Whether to ignore the environment variables.
    #[arg(skip)]
    without_variables: bool,
    /// The password from standard input. It can be read once, but a command may need it several times.
    #[arg(skip)]
    password_read: Arc<OnceLock<String>>,
    /// The sides whose options can give a missing user or password. Empty if the command reaches one registry.
    #[arg(skip)]
    sides: Vec<SideName>,
    /// Set when these credentials are used for the first time. Both sides of a command may use them.
    #[arg(skip)]
    used: Arc<OnceLock<()>>,
}

impl CredentialArgs {
    /// Whether the password is visible in the list of processes.
    pub(crate) fn on_command_line(&self) -> bool {
        given(&self.password).is_some()
    }

    /// Returns `true` the first time it is called for these credentials.
    pub(crate) fn is_first_use(&self) -> bool {
        self.used.set(()).is_ok()
    }

    /// Returns these credentials, replaced by the credentials of one side where that side has some.
    pub(super) fn with(&self, side: &Side, other: &Side) -> Self {
        let mut args = self.clone();
        if side.has_credentials() {
            args.used = Arc::default();
        }
        let are_in_file = side.registry_config.is_some() && side.user.is_none();
        let are_of_other = !side.has_user_or_password() && self.is_half_for(other);
        if are_in_file || are_of_other {
            args.leave_out_variables();
            (args.password, args.password_stdin) = (None, false);
        }
        if side.user.is_some() {
            args.user = side.user.clone();
        }
        args.sides = side.name.into_iter().collect();
        if !side.has_user_or_password() && !other.has_user_or_password() {
            args.sides.extend(other.name);
        }
        if side.has_password() {
            args.password = side.password.clone();
            args.password_stdin = side.password_stdin;
            args.password_read = Arc::default();
        }
        args
    }

    /// Returns whether these credentials are only a user or only a password, and no side but `side` can use them: `side` has
    /// the other half. Or `side` has both, and these come from variables, which may be set for other commands.
    fn is_half_for(&self, side: &Side) -> bool {
        let (has_user, has_password) = (self.any(), self.has_password());
        match (side.user.is_some(), side.has_password()) {
            (true, true) => has_user != has_password && self.in_variables(),
            (true, false) => !has_user && has_password,
            (false, true) => has_user && !has_password,
            (false, false) => false,
        }
    }

    /// Returns whether a user is given.
    pub(crate) fn any(&self) -> bool {
        given(&self.user).is_some()
    }

    /// Returns whether a password is given. Does not read it.
    fn has_password(&self) -> bool {
        let in_variable =
            || !self.without_variables && given(&std::env::var(PASSWORD).ok()).is_some();
        self.password_stdin || self.on_command_line() || in_variable()
    }

    /// Uses this user and password if the command line and the environment have none.
    pub(crate) fn add_default(&mut self, user: String, password: String) {
        if !self.any() && !self.has_password() {
            self.user = Some(user);
            // The password counts as one from standard input, because it is not on the command line.
            self.password_stdin = true;
            self.password_read = Arc::new(OnceLock::from(password));
        }
    }

    /// Returns whether the user and the password come from environment variables only.
    pub(crate) fn in_variables(&self) -> bool {
        let user = given(&std::env::var(USER).ok());
        given(&self.user) == user && !self.on_command_line() && !self.password_stdin
    }

    /// Ignores the environment variables.
    pub(crate) fn leave_out_variables(&mut self) {
        self.user = None;
        self.without_variables = true;
    }

    /// Returns user and password, or `None` if neither is given. May read standard input.
    pub(crate) fn given(&self) -> Result<Option<(String, String)>> {
        match (given(&self.user), self.password()?) {
            (Some(user), Some(password)) => Ok(Some((user, password))),
            (None, None) => Ok(None),
            (user, _) => bail!(self.incomplete(user.is_some())),
        }
    }

    /// Returns the error about a user without a password, or about a password without a user.
    fn incomplete(&self, has_user: bool) -> Failure {
        let message = if has_user {
            "a user is given without a password"
        } else {
            "a password is given without a user"
        };
        let hint = match (self.sides.as_slice(), has_user) {
            ([SideName { prefix, .. }], true) => {
                format!("give --{prefix}-password-stdin or --{prefix}-password")
            }
            (_, true) => "give WASH_REG_PASSWORD, --password-stdin or --password".to_owned(),
            ([], false) => GIVE_USER.to_owned(),
            (sides, false) => {
                let users = sides.iter().map(|side| format!("--{}-user", side.prefix));
                format!("give {}", users.collect::<Vec<_>>().join(" or "))
            }
        };
        let message = match self.sides.as_slice() {
            [SideName { title, .. }] => format!("{message} for {title}"),
            _ => message.to_owned(),
        };
        Failure::usage(message).hint(hint)
    }

    /// Whether [`given_or_asked`](Self::given_or_asked) asks on a terminal.
    pub(crate) fn asks(&self) -> bool {
        std::io::stdin().is_terminal() && !(self.any() && self.has_password())
    }

    /// Returns user and password. Asks for a missing one on the terminal.
    pub(crate) fn given_or_asked(&self) -> Result<(String, String)> {
        let terminal = std::io::stdin().is_terminal();
        let user = match given(&self.user) {
            Some(user) => user,
            None if terminal && !self.password_stdin => {
                terminal::ask("User: ")?.unwrap_or_default()
            }
            None => bail!(Failure::usage("no user is given to log in as").hint(GIVE_USER)),
        };
        if user.is_empty() {
            bail!(Failure::usage("no user was given to log in as"));
        }
        let password = match self.password()? {
            Some(password) => password,
            None if terminal => rpassword::prompt_password("Password: ")
                .context("cannot ask for a password on the terminal")?,
            None => bail!(
                Failure::usage("no password is given, and there is no terminal to ask on").hint(
                    "give it with --password-stdin, as in `par login REGISTRY -u USER \
                     --password-stdin < FILE`"
                )
            ),
        };
        if password.is_empty() {
            bail!(Failure::usage("no password was given"));
        }
        // HTTP separates user and password with a colon (RFC 7617).
        if user.contains(':') {
            bail!(Failure::usage("the name of a user cannot contain `:`"));
        }
        Ok((user, password))
    }

    fn password(&self) -> Result<Option<String>> {
        if self.password_stdin {
            let input = files::standard_input("the password")?;
            return Ok(Some(self.password_from(input.lock())?));
        }
        let password = given(&self.password);
        if password.is_some() || self.without_variables {
            return Ok(password);
        }
        Ok(given(&std::env::var(PASSWORD).ok()))
    }

    fn password_from(&self, input: impl BufRead) -> Result<String> {
        if let Some(password) = self.password_read.get() {
            return Ok(password.clone());
        }
        let read = read_line(input)
            .with_context(|| Failure::usage("cannot read the password from standard input"));
        let password = read?.unwrap_or_default();
        if password.is_empty() {
            bail!(Failure::usage("standard input has no password"));
        }
        Ok(self.password_read.get_or_init(|| password).clone())
    }
}

/// Returns the value of an option or a variable. An empty value counts as not set.
fn given(value: &Option<String>) -> Option<String> {
    value.clone().filter(|value| !value.is_empty())
}

#[cfg(test)]
#[path = "tests/credentials.rs"]
mod tests;
