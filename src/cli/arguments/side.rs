//! The registry options for one of the two sides of a command.

use std::path::PathBuf;

/// How messages and options call a side.
#[derive(Clone, Copy)]
pub(super) struct SideName {
    /// The name in messages, such as "the first side".
    pub(super) title: &'static str,
    /// The start of the names of its options, such as `from`.
    pub(super) prefix: &'static str,
}

pub(super) const FROM: SideName = SideName {
    title: "the first side",
    prefix: "from",
};
pub(super) const TO: SideName = SideName {
    title: "the second side",
    prefix: "to",
};

/// The registry options for one side, which replace the options for both sides.
pub(super) struct Side {
    /// `None`: the command reaches one registry only, so options for both sides are for that registry.
    pub(super) name: Option<SideName>,
    pub(super) user: Option<String>,
    pub(super) password: Option<String>,
    pub(super) password_stdin: bool,
    pub(super) insecure: bool,
    pub(super) skip_tls_verify: bool,
    pub(super) certificate_authorities: Vec<PathBuf>,
    pub(super) client_cert: Option<PathBuf>,
    pub(super) client_key: Option<PathBuf>,
    pub(super) registry_config: Option<PathBuf>,
}

impl Side {
    /// Whether this side has credentials of its own.
    pub(super) fn has_credentials(&self) -> bool {
        self.has_user_or_password() || self.registry_config.is_some()
    }

    /// Whether a user or a password is given for this side.
    pub(super) fn has_user_or_password(&self) -> bool {
        self.user.is_some() || self.has_password()
    }

    /// Whether a password is given for this side.
    pub(super) fn has_password(&self) -> bool {
        self.password.is_some() || self.password_stdin
    }

    /// Returns whether TLS options are given for this side.
    pub(super) fn has_tls_settings(&self) -> bool {
        self.skip_tls_verify
            || self.client_cert.is_some()
            || !self.certificate_authorities.is_empty()
    }
}
