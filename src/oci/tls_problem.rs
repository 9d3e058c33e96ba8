//! Why there is no secure connection.

use std::error::Error;
use std::fmt;
use std::io;

use rustls::{AlertDescription, CertificateError};

/// What keeps two sides from a secure connection, as far as it can be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TlsProblem {
    /// The certificate is of an authority that is not trusted.
    UnknownAuthority,
    /// The certificate is no longer valid, or not yet.
    Expired,
    /// The certificate is for another host.
    OtherName,
    /// The server wants a certificate of the client, or another one.
    ClientCertificate,
    /// The server does not speak TLS there.
    NoTls,
    /// Something else.
    Other,
}

impl TlsProblem {
    /// The problem behind an error of a request, when it is one of TLS.
    pub(super) fn behind(error: &(dyn Error + 'static)) -> Option<Self> {
        let mut next = Some(error);
        while let Some(error) = next {
            if let Some(error) = error.downcast_ref::<rustls::Error>() {
                return Some(Self::of(error));
            }
            // It hides inside of `io::Error`s, which do not count as sources.
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
            // What servers say of our certificate; of theirs we say it.
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
            Self::ClientCertificate => "it wants a certificate of the client that it accepts",
            Self::NoTls => "it does not speak TLS there",
            Self::Other => "TLS failed",
        })
    }
}
