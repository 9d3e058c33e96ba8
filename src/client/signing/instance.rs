//! The services of an instance of Sigstore, from its signing configuration.

use std::path::Path;

use sigstore_trust_root::{
    SIGSTORE_PRODUCTION_SIGNING_CONFIG, ServiceConfiguration, ServiceEndpoint, ServiceSelector,
    SigningConfig,
};

use crate::content::read_file_bounded;
use crate::oci::service_url;

use super::error::{Cause, SigningError};

/// The largest signing configuration that is read, in bytes.
const LIMIT: u64 = 1024 * 1024;

/// The services of an instance: the URL of each.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Instance {
    /// The certificate authority (Fulcio).
    pub(super) authority: String,
    /// The transparency log (Rekor). `None`: the instance has none.
    pub(super) log: Option<Log>,
    /// The timestamp authority (RFC 3161). `None`: the instance has none.
    pub(super) timestamps: Option<String>,
}

/// A transparency log.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Log {
    pub(super) url: String,
    pub(super) version: LogVersion,
}

/// The version of the interface of a transparency log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LogVersion {
    V1,
    V2,
}

impl Instance {
    /// Reads the services of an instance from a file. `None`: the services of the public instance. Blocks.
    pub(super) fn read(path: Option<&Path>) -> Result<Self, SigningError> {
        let (text, place) = match path {
            None => (
                SIGSTORE_PRODUCTION_SIGNING_CONFIG.to_owned(),
                "public".to_owned(),
            ),
            Some(path) => {
                let text = read_file_bounded(path, LIMIT).map_err(|source| SigningError::File {
                    path: path.to_owned(),
                    source,
                })?;
                let text = String::from_utf8_lossy(&text).into_owned();
                (text, path.display().to_string())
            }
        };
        Self::parse(&text).map_err(|source| SigningError::Configuration { place, source })
    }

    fn parse(text: &str) -> Result<Self, Cause> {
        // The message of this error repeats the message of its source, so only the message is kept.
        let config = SigningConfig::from_json(text).map_err(|error| error.to_string())?;
        let authority = config.fulcio_url();
        let authority =
            authority.ok_or("it names no certificate authority that can be used now")?;
        let logs = config.eligible_rekor_urls(None);
        let log = choose("transparency log", &config.rekor_tlog_config, &logs)?;
        let timestamps = config.eligible_tsa_urls();
        let timestamps = choose("timestamp authority", &config.tsa_config, &timestamps)?;
        for (kind, service) in [
            ("certificate authority", Some(authority)),
            ("transparency log", log),
            ("timestamp authority", timestamps),
        ] {
            let checked = service.map_or(Ok(()), |service| service_url(&service.url).map(drop));
            checked.map_err(|reason| format!("the URL of its {kind} cannot be used: {reason}"))?;
        }
        let log = log.map(|log| Log {
            url: base(log),
            version: if log.major_api_version == 1 {
                LogVersion::V1
            } else {
                LogVersion::V2
            },
        });
        let is_timed = match &log {
            Some(log) => log.version == LogVersion::V1,
            None => false,
        };
        if !is_timed && timestamps.is_none() {
            return Err(
                "it names no timestamp authority and no log that says when a signature was made"
                    .into(),
            );
        }
        Ok(Self {
            authority: base(authority),
            log,
            timestamps: timestamps.map(|service| service.url.clone()),
        })
    }
}

/// Chooses the first service of a kind. `services` begins with the newest. A configuration that demands several services
/// of a kind is refused, because a bundle gets an answer from only one.
fn choose<'a>(
    kind: &str,
    wanted: &ServiceConfiguration,
    services: &[&'a ServiceEndpoint],
) -> Result<Option<&'a ServiceEndpoint>, Cause> {
    let is_one_enough = match wanted.selector {
        ServiceSelector::Any => true,
        ServiceSelector::Exact => wanted.count == Some(1),
        ServiceSelector::All => services.len() <= 1,
        _ => services.is_empty(),
    };
    if is_one_enough {
        Ok(services.first().copied())
    } else {
        Err(format!("it demands more than one {kind}, which is not supported").into())
    }
}

/// Returns the URL of a service without slashes at its end, so that a path can be appended.
fn base(service: &ServiceEndpoint) -> String {
    service.url.trim_end_matches('/').to_owned()
}

#[cfg(test)]
#[path = "tests/instance.rs"]
mod tests;
