//! The reasons why a TLS handshake fails.

use std::error::Error;
use std::fmt;
use std::io;

use rustls::{AlertDescription, CertificateError};

/// The reason why a TLS handshake failed, as far as it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TlsProblem {
    /// The authority of the server's certificate is not trusted.
    UnknownAuthority,
    /// The server's certificate is expired, or not valid yet.
    Expired,
    /// The server's certificate is for another host.
    OtherName,
    /// The server requires a client certificate, or does not accept the one it was shown.
    ClientCertificate,
    /// The server does not speak TLS at this address.
    NoTls,
    /// Another reason.
    Other,
}

impl TlsProblem {
    /// Returns the problem that caused `error`, or `None` when TLS did not.
    pub(in crate::oci) fn behind(error: &(dyn Error + 'static)) -> Option<Self> {
        let mut next = Some(error);
        while let Some(error) = next {
            if let Some(error) = error.downcast_ref::<rustls::Error>() {
                return Some(Self::of(error));
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

    fn of(error: &rustls::Error) -> Self {
        match error {
            rustls::Error::InvalidCertificate(error) => match error {
                CertificateError::UnknownIssuer => Self::UnknownAuthority,
                CertificateError::Expired
                | CertificateError::ExpiredContext { .. }
                | CertificateError::NotValidYet
                | CertificateError::NotValidYetContext { .. } => Self::Expired,
                CertificateError::NotValidForName
                | CertificateError::NotValidForNameContext { .. } => Self::OtherName,
                _ => Self::Other,
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
            Self::Expired => "its certificate is not valid now",
            Self::OtherName => "its certificate is for another name",
            Self::ClientCertificate => "it requires a client certificate that it accepts",
            Self::NoTls => "it does not speak TLS",
            Self::Other => "TLS failed",
        })
    }
}
