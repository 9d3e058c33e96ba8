//! Checks of a registry: its features, and problems that keep it from being used.

use crate::content::{Descriptor, Digest, ErrorKind, with_causes};
use crate::oci::{self, Credentials, Greeting, Place, Probe, Registries, RegistryReference, Wants};

use super::finding::{Advice, Check, Diagnosis, Finding, Verdict};
use super::{machine, ranges, uploads};

/// Finds out whether `place` can be used. With `push`, sends content to the registry and deletes it.
pub(super) async fn diagnose(
    registries: &Registries,
    place: &Place,
    push: bool,
) -> Result<Diagnosis, oci::Error> {
    let (mirrors, registry) = registries.probes(place).await?;
    let mut findings = Vec::new();
    let mut stand_in = None;
    for mirror in mirrors {
        let (finding, greeting) = greet_mirror(&mirror).await;
        findings.push(finding);
        if stand_in.is_none() && mirror.serves_readers() {
            stand_in = greeting.map(|greeting| (mirror, greeting));
        }
    }
    let (registry, greeting, is_unavailable) = match registry.greet().await {
        Ok(greeting) => {
            let finding = match greeting.missing() {
                None => answer(&greeting),
                Some(missing) => {
                    // Some registries refuse the root of the API only, which no other operation asks for.
                    if !serves(&registry, place).await {
                        findings.push(unanswered(missing));
                        return Ok(Diagnosis {
                            findings,
                            clock: None,
                        });
                    }
                    Finding::limited(Check::Answer, with_causes(&missing))
                }
            };
            findings.push(finding);
            (registry, greeting, false)
        }
        Err(error) => {
            let is_unavailable = error.is_out_of_reach();
            let Some((mirror, greeting)) = stand_in.filter(|_| is_unavailable) else {
                findings.push(unanswered(error));
                return Ok(Diagnosis {
                    findings,
                    clock: None,
                });
            };
            findings.push(read_through(&mirror, error));
            (mirror, greeting, true)
        }
    };
    let clock = greeting.skew.map(machine::clock);
    findings.push(tls(&greeting, &registry));
    let mut authentication = authentication(&greeting, &registry).await;
    // Other operations use a repository and not the root of the API.
    let is_asked_elsewhere = greeting.wants == Wants::Unsaid || place.reference().is_some();
    if matches!(authentication.verdict, Verdict::Failed(_))
        && is_asked_elsewhere
        && serves(&registry, place).await
    {
        authentication.verdict = Verdict::Limited;
        authentication.said = format!(
            "{}; the repository can be read all the same",
            authentication.said
        );
    }
    let stops = matches!(authentication.verdict, Verdict::Failed(_));
    findings.push(authentication);
    if let Some(reference) = place.reference().filter(|_| !stops) {
        let (mut read, sample) = read(&registry, reference).await;
        let stops = matches!(read.verdict, Verdict::Failed(_));
        if stops && is_unavailable {
            // After the mirrors, readers ask the registry, which is unavailable.
            read.verdict = Verdict::Failed(ErrorKind::Unavailable);
        }
        findings.push(read);
        if !stops {
            let manifest = sample.as_ref().map(|(manifest, _)| &manifest.digest);
            findings.push(referrers(&registry, manifest).await);
            let blob = sample.and_then(|(_, blob)| blob);
            if push {
                let host = registries.push_probe(place).await?;
                uploads::check(&host, blob, &mut findings).await;
            } else {
                findings.push(ranges::check(&registry, blob.as_ref()).await);
            }
        }
    }
    Ok(Diagnosis { findings, clock })
}

async fn greet_mirror(mirror: &Probe) -> (Finding, Option<Greeting>) {
    let greeted = mirror.greet().await;
    let greeted = greeted.and_then(|greeting| greeting.missing().map_or(Ok(greeting), Err));
    match greeted {
        Ok(greeting) => {
            let said = format!("{} answers, and is asked too", greeting.address);
            (Finding::good(Check::Mirror, said), Some(greeting))
        }
        Err(error) => {
            let said = format!("{} is passed over: {}", mirror.name(), with_causes(&error));
            let finding = Finding::limited(Check::Mirror, said);
            (finding.advice(Advice::RepairMirror), None)
        }
    }
}

/// Returns the finding about a host that does not answer as a registry does.
fn unanswered(error: oci::Error) -> Finding {
    let check = match &error {
        oci::Error::Tls { .. } | oci::Error::PlainHttp { .. } => Check::Tls,
        _ => Check::Answer,
    };
    Finding::failed(check, error)
}

/// Returns the finding about a registry that is unavailable while a mirror answers.
fn read_through(mirror: &Probe, error: oci::Error) -> Finding {
    let mirror = mirror.name();
    let mut finding = unanswered(error);
    finding.verdict = Verdict::Limited;
    finding.said = format!("{}; it is read through {mirror} only", finding.said);
    finding.advice(Advice::ReadThroughMirror(mirror.to_owned()))
}

/// Returns whether the registry serves `place` although it refuses anonymous requests for the root of its API. For
/// a repository, a manifest of it is read. For a registry alone, the stored credentials are tried at the root.
async fn serves(registry: &Probe, place: &Place) -> bool {
    match place.reference() {
        Some(reference) => read(registry, reference).await.1.is_some(),
        None => registry.log_in().await.is_ok(),
    }
}

fn answer(greeting: &Greeting) -> Finding {
    let mut said = format!("{} answers with HTTP {}", greeting.address, greeting.status);
    if let Some(server) = &greeting.server {
        said = format!("{said}, server {server}");
    }
    if let Some(version) = &greeting.api_version {
        said = format!("{said}, API {version}");
    }
    Finding::good(Check::Answer, said)
}

fn tls(greeting: &Greeting, registry: &Probe) -> Finding {
    if !greeting.address.starts_with("https:") {
        let said = "plain HTTP: the network can read everything, and change everything that no digest \
                    pins";
        let finding = Finding::limited(Check::Tls, said);
        return if registry.is_loopback() {
            Finding::good(Check::Tls, "plain HTTP, within this machine")
        } else {
            finding.advice(Advice::UseTls)
        };
    }
    if registry.accepts_any_certificate() {
        Finding::limited(Check::Tls, "TLS, with any certificate: it is not verified")
            .advice(Advice::VerifyCertificate)
    } else {
        Finding::good(Check::Tls, "TLS, with a certificate that is trusted")
    }
}

/// Checks which authentication the registry demands, and whether it accepts the credentials there are.
async fn authentication(greeting: &Greeting, registry: &Probe) -> Finding {
    let check = Check::Authentication;
    let wants = match &greeting.wants {
        Wants::Nothing => return Finding::good(check, "none: the registry demands no credentials"),
        Wants::Password => "user and password (basic)".to_owned(),
        Wants::Token { realm, service } => match service {
            Some(service) => format!("a token of {realm} for {service} (bearer)"),
            None => format!("a token of {realm} (bearer)"),
        },
        Wants::Unknown(challenge) => format!("something unknown ({challenge})"),
        Wants::Unsaid => "something that it does not name".to_owned(),
    };
    let (credentials, failure) = match registry.credentials().await {
        Ok(credentials) => (credentials, None),
        // Public repositories can be read without credentials.
        Err(error @ oci::Error::CredentialHelper { .. }) => (Credentials::Anonymous, Some(error)),
        Err(error) => return Finding::failed(check, error),
    };
    match (registry.log_in().await, credentials) {
        (Ok(()), Credentials::Anonymous) => {
            let said = format!("{wants}, which the registry gives to anonymous users");
            match failure {
                Some(failure) => {
                    let said = format!("{said}; {}", with_causes(&failure));
                    Finding::limited(check, said)
                }
                None => Finding::good(check, said).advice(Advice::LogIn),
            }
        }
        (Ok(()), credentials) => {
            let user = credentials.describe_user();
            Finding::good(check, format!("{wants}; the registry accepts {user}"))
        }
        // Token services may give anonymous tokens for public repositories only.
        (Err(error), Credentials::Anonymous)
            if error.kind() == ErrorKind::Denied
                && failure.is_none()
                && matches!(greeting.wants, Wants::Token { .. }) =>
        {
            let said = format!("{wants}, and there are no credentials for it");
            Finding::limited(check, said).advice(Advice::LogInUnlessPublic)
        }
        (Err(error), _) => {
            let mut finding = Finding::failed(check, error);
            finding.said = format!("{wants}: {}", finding.said);
            finding
        }
    }
}

type Sample = (Descriptor, Option<Descriptor>);

/// Checks whether the repository can be read. Returns a manifest in it with one of its blobs as well.
async fn read(registry: &Probe, reference: &RegistryReference) -> (Finding, Option<Sample>) {
    let check = Check::Read;
    let digest = reference.digest().map(ToString::to_string);
    let name = match digest.or(reference.tag().map(str::to_owned)) {
        Some(name) => name,
        None => match registry.tags().await {
            Ok(tags) => match tags.into_iter().next() {
                Some(tag) => tag,
                None => return (Finding::good(check, "it has no tags"), None),
            },
            Err(oci::Error::NotFound { .. }) => {
                let finding = Finding::limited(check, "there is no such repository yet")
                    .advice(Advice::CheckName);
                return (finding, None);
            }
            Err(error) => return (Finding::failed(check, error), None),
        },
    };
    match registry.sample(&name).await {
        Ok(sample) => {
            let said = format!("{name} is {}", sample.0.digest);
            (Finding::good(check, said), Some(sample))
        }
        Err(error) => (Finding::failed(check, error), None),
    }
}

async fn referrers(registry: &Probe, manifest: Option<&Digest>) -> Finding {
    let check = Check::Referrers;
    let nothing = Digest::of(b"");
    match registry.lists_referrers(manifest.unwrap_or(&nothing)).await {
        Ok(true) => Finding::good(check, "the registry has the referrers API"),
        Ok(false) => Finding::limited(
            check,
            "the registry has no referrers API: clients use tags instead",
        ),
        Err(error) => Finding::limited(check, with_causes(&error)),
    }
}
