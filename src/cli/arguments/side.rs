//! The registry options for one of the two sides of a command.

use std::path::PathBuf;

/// The registry options for one side, which replace the options for both sides.
#[derive(Default)]
pub(super) struct Side {
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
        self.user.is_some()
            || self.password.is_some()
            || self.password_stdin
            || self.registry_config.is_some()
    }

    /// Returns whether TLS options are given for this side.
    pub(super) fn has_tls_settings(&self) -> bool {
        self.skip_tls_verify
            || self.client_cert.is_some()
            || !self.certificate_authorities.is_empty()
    }
}
