//! The reasons why a TLS handshake fails.

use std::error::Error;
use std::fmt;
use std::io;

use rustls::{AlertDescription, CertificateError};

use crate::content::ErrorKind;

/// The reason why a TLS handshake failed, as far as it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TlsProblem {
    /// The authority of the server's certificate is not trusted.
    UnknownAuthority,
    /// The server's certificate is expired.
    Expired,
    /// The server's certificate is not valid yet.
    NotYetValid,
    /// The server's certificate is for another host.
    OtherName,
    /// The server's certificate is a certificate of an authority, and not of a server.
    Authority,
    /// The server's certificate has version 1 of X.509, which lacks the fields that verification needs.
    Version1,
    /// The server's certificate may not be used for servers.
    OtherPurpose,
    /// The server's certificate cannot be verified for another reason.
    Certificate,
    /// The server requires a client certificate, or does not accept the one that the client sent.
    ClientCertificate,
    /// The server does not speak TLS at this address.
    NoTls,
    /// Another reason.
    Other,
}

impl TlsProblem {
    /// Returns the problem with TLS that caused `error`, or `None` when `error` has another cause.
    pub(in crate::oci) fn behind(error: &(dyn Error + 'static)) -> Option<Self> {
        Self::error_behind(error).map(Self::of)
    }

    /// Returns the error of the TLS library that caused `error`, if any.
    pub(in crate::oci) fn error_behind<'a>(
        error: &'a (dyn Error + 'static),
    ) -> Option<&'a rustls::Error> {
        let mut next = Some(error);
        while let Some(error) = next {
            if let Some(error) = error.downcast_ref::<rustls::Error>() {
                return Some(error);
            }
            // The error that an `io::Error` wraps is not its `source`.
            let inner = error
                .downcast_ref::<io::Error>()
                .and_then(io::Error::get_ref);
            next = match inner {
                Some(inner) => Some(inner),
                None => error.source(),
            };
        }
        None
    }

    /// Returns the kind of an error with this problem. Most of these problems stay until a person changes the settings.
    pub(super) fn kind(self) -> ErrorKind {
        match self {
            Self::UnknownAuthority
            | Self::Expired
            | Self::NotYetValid
            | Self::OtherName
            | Self::Authority
            | Self::Version1
            | Self::OtherPurpose
            | Self::Certificate => ErrorKind::NotVerified,
            Self::ClientCertificate => ErrorKind::Denied,
            Self::NoTls => ErrorKind::Usage,
            Self::Other => ErrorKind::Unavailable,
        }
    }

    fn of(error: &rustls::Error) -> Self {
        match error {
            rustls::Error::InvalidCertificate(error) => match error {
                CertificateError::UnknownIssuer => Self::UnknownAuthority,
                CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                    Self::Expired
                }
                CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                    Self::NotYetValid
                }
                CertificateError::NotValidForName
                | CertificateError::NotValidForNameContext { .. } => Self::OtherName,
                CertificateError::InvalidPurpose
                | CertificateError::InvalidPurposeContext { .. } => Self::OtherPurpose,
                // The type of these errors belongs to a library below the TLS library. Their text is the name of the
                // variant.
                CertificateError::Other(error) => match error.to_string().as_str() {
                    "CaUsedAsEndEntity" => Self::Authority,
                    "UnsupportedCertVersion" => Self::Version1,
                    _ => Self::Certificate,
                },
                _ => Self::Certificate,
            },
            // Alerts are the server's verdict on the client's certificate.
            rustls::Error::AlertReceived(
                AlertDescription::CertificateRequired
                | AlertDescription::BadCertificate
                | AlertDescription::UnsupportedCertificate
                | AlertDescription::CertificateRevoked
                | AlertDescription::CertificateExpired
                | AlertDescription::CertificateUnknown
                | AlertDescription::UnknownCA
                | AlertDescription::AccessDenied,
            ) => Self::ClientCertificate,
            rustls::Error::InvalidMessage(_) => Self::NoTls,
            _ => Self::Other,
        }
    }
}

impl fmt::Display for TlsProblem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::UnknownAuthority => "the authority of its certificate is not trusted",
            Self::Expired => "its certificate is not valid now: it has expired",
            Self::NotYetValid => "its certificate is not valid now: it becomes valid later",
            Self::OtherName => "its certificate is for another name",
            Self::Authority => "its certificate is a certificate of an authority, not of a server",
            Self::Version1 => "its certificate has version 1 of X.509, which cannot be verified",
            Self::OtherPurpose => "its certificate is not for servers",
            Self::Certificate => "its certificate cannot be verified",
            Self::ClientCertificate => "it requires a client certificate that it accepts",
            Self::NoTls => "it does not speak TLS",
            Self::Other => "TLS failed",
        })
    }
}
