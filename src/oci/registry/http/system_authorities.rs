//! Loading the certificate authorities of the system, and the reason when none can be loaded.

use std::sync::Arc;

use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::CertificateDer;

/// No certificate authority could be loaded from `place`.
#[derive(Debug, Clone, thiserror::Error)]
#[error("no certificate authority can be loaded from {place}: {reason}")]
pub(super) struct NoAuthorities {
    pub(super) place: String,
    pub(super) reason: String,
}

/// Returns a verifier that trusts the authorities of the system, and `more`. With `isolated`, the authorities are
/// loaded from their usual place, and environment variables are ignored. Blocks.
#[cfg(all(unix, not(target_vendor = "apple"), not(target_os = "android")))]
pub(super) fn verifier(
    more: Vec<CertificateDer<'static>>,
    provider: &Arc<CryptoProvider>,
    isolated: bool,
) -> Result<Arc<dyn ServerCertVerifier>, NoAuthorities> {
    use rustls::RootCertStore;
    use rustls::client::WebPkiServerVerifier;

    use super::authority_files::Place;

    let place = if isolated {
        Place::usual()
    } else {
        Place::of(|name| std::env::var_os(name))
    };
    let found = place.load();
    let mut roots = RootCertStore::empty();
    let (_, unusable) = roots.add_parsable_certificates(found.certs);
    let mut problems: Vec<_> = place.problems(&found.errors);
    if unusable > 0 {
        problems.push(format!("{unusable} of its certificates cannot be read"));
    }
    let reason = problems.first().cloned();
    let none = roots.is_empty();
    roots.add_parsable_certificates(more);
    let problem = |reason: Option<String>| NoAuthorities {
        place: place.to_string(),
        reason: reason.unwrap_or_else(|| "there is no certificate".to_owned()),
    };
    if roots.is_empty() {
        return Err(problem(reason));
    }
    if place.is_chosen() && none {
        tracing::warn!("{}", problem(reason));
    } else if place.is_chosen() {
        for reason in problems {
            tracing::warn!("not all certificate authorities are loaded from {place}: {reason}");
        }
    } else {
        for reason in problems {
            tracing::debug!("not all certificate authorities are loaded from {place}: {reason}");
        }
    }
    let builder = WebPkiServerVerifier::builder_with_provider(roots.into(), Arc::clone(provider));
    match builder.build() {
        Ok(verifier) => Ok(verifier),
        Err(error) => Err(problem(Some(error.to_string()))),
    }
}

/// Returns a verifier that trusts the authorities of the system, and `more`. Blocks.
#[cfg(not(all(unix, not(target_vendor = "apple"), not(target_os = "android"))))]
pub(super) fn verifier(
    more: Vec<CertificateDer<'static>>,
    provider: &Arc<CryptoProvider>,
    _isolated: bool,
) -> Result<Arc<dyn ServerCertVerifier>, NoAuthorities> {
    use rustls_platform_verifier::Verifier;

    #[cfg(not(target_os = "android"))]
    let verifier = Verifier::new_with_extra_roots(more, Arc::clone(provider));
    #[cfg(target_os = "android")]
    let verifier = {
        let _ = more;
        Verifier::new(Arc::clone(provider))
    };
    match verifier {
        Ok(verifier) => Ok(Arc::new(verifier)),
        Err(error) => Err(NoAuthorities {
            place: "this system".to_owned(),
            reason: error.to_string(),
        }),
    }
}
