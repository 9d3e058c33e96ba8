//! Finding out what a registry can do, and what is in the way.

mod finding;
mod uploads;

use crate::content::{Descriptor, Digest, ErrorKind, whole};
use crate::oci::{self, Credentials, Greeting, Place, Probe, RegistryReference, Wants};

use super::Client;
use super::error::Error;

pub use finding::{Advice, Check, Diagnosis, Finding, Verdict};

impl Client {
    /// Finds out whether `place` can be used, and how well. Each request is sent once, and waited for at
    /// most five seconds.
    ///
    /// Of a registry alone, what can be known without a repository. With a repository and `push`, uploads
    /// are tried too: of content that is some hundred bytes long, random, without a tag, and deleted
    /// again, as far as the registry allows that, and unless the future is dropped on the way. Without
    /// `push`, nothing is sent.
    ///
    /// When the registry is away, and a mirror is there to be read in its place, that mirror is looked at
    /// instead.
    ///
    /// # Errors
    ///
    /// What is wrong on this side, such as a `hosts.toml` that cannot be read. What is wrong with the
    /// registry is in the [`Diagnosis`].
    #[tracing::instrument(skip_all, fields(%place))]
    pub async fn doctor(&self, place: &Place, push: bool) -> Result<Diagnosis, Error> {
        let (mirrors, registry) = self.registries.probes(place).await?;
        let mut findings = Vec::new();
        let mut stand_in = None;
        for mirror in mirrors {
            let (finding, greeting) = greet_mirror(&mirror).await;
            findings.push(finding);
            if stand_in.is_none() && mirror.serves_readers() {
                stand_in = greeting.map(|greeting| (mirror, greeting));
            }
        }
        let (registry, greeting, is_away) = match registry.greet().await {
            Ok(greeting) => {
                findings.push(answer(&greeting));
                (registry, greeting, false)
            }
            Err(error) => {
                let is_away = error.kind() == ErrorKind::Unavailable;
                let Some((mirror, greeting)) = stand_in.filter(|_| is_away) else {
                    findings.push(unanswered(error));
                    return Ok(Diagnosis { findings });
                };
                findings.push(read_through(&mirror, error));
                (mirror, greeting, true)
            }
        };
        findings.push(tls(&greeting, &registry));
        let authentication = authentication(&greeting, &registry).await;
        let stops = matches!(authentication.verdict, Verdict::Failed(_));
        findings.push(authentication);
        if let Some(reference) = place.reference().filter(|_| !stops) {
            let (mut read, sample) = read(&registry, reference).await;
            let stops = matches!(read.verdict, Verdict::Failed(_));
            if stops && is_away {
                // Who reads would ask the registry then.
                read.verdict = Verdict::Failed(ErrorKind::Unavailable);
            }
            findings.push(read);
            if !stops {
                let manifest = sample.as_ref().map(|(manifest, _)| &manifest.digest);
                findings.push(referrers(&registry, manifest).await);
                let blob = sample.and_then(|(_, blob)| blob);
                if push {
                    let host = self.registries.push_probe(place).await?;
                    uploads::check(&host, blob, &mut findings).await;
                } else {
                    findings.push(ranges(&registry, blob.as_ref()).await);
                }
            }
        }
        Ok(Diagnosis { findings })
    }
}

async fn greet_mirror(mirror: &Probe) -> (Finding, Option<Greeting>) {
    match mirror.greet().await {
        Ok(greeting) => {
            let said = format!("{} answers, and is asked too", greeting.address);
            (Finding::good(Check::Mirror, said), Some(greeting))
        }
        Err(error) => {
            let said = format!("{} is passed over: {}", mirror.name(), whole(&error));
            let finding = Finding::limited(Check::Mirror, said);
            (finding.advice(Advice::RepairMirror), None)
        }
    }
}

/// The registry does not answer as one.
fn unanswered(error: oci::Error) -> Finding {
    let check = match &error {
        oci::Error::Tls { .. } | oci::Error::PlainHttp { .. } => Check::Tls,
        _ => Check::Answer,
    };
    Finding::failed(check, error)
}

/// The registry is away, and a mirror is not.
fn read_through(mirror: &Probe, error: oci::Error) -> Finding {
    let mirror = mirror.name();
    let mut finding = unanswered(error);
    finding.verdict = Verdict::Limited;
    finding.said = format!("{}; it is read through {mirror} only", finding.said);
    finding.advice(Advice::ReadThroughMirror(mirror.to_owned()))
}

fn answer(greeting: &Greeting) -> Finding {
    let said = [
        greeting
            .server
            .as_ref()
            .map(|server| format!("server {server}")),
        greeting
            .api_version
            .as_ref()
            .map(|version| format!("API {version}")),
    ];
    let mut text = format!("{} answers with HTTP {}", greeting.address, greeting.status);
    for said in said.into_iter().flatten() {
        text.push_str(&format!(", {said}"));
    }
    Finding::good(Check::Answer, text)
}

fn tls(greeting: &Greeting, registry: &Probe) -> Finding {
    if !greeting.address.starts_with("https:") {
        let said = "plain HTTP: whoever is in between can read and change everything but what is \
                    pinned by digest";
        let finding = Finding::limited(Check::Tls, said);
        return match registry.is_loopback() {
            true => Finding::good(Check::Tls, "plain HTTP, within this machine"),
            false => finding.advice(Advice::UseTls),
        };
    }
    match registry.accepts_any_certificate() {
        true => Finding::limited(Check::Tls, "TLS, with any certificate: it is not verified")
            .advice(Advice::VerifyCertificate),
        false => Finding::good(Check::Tls, "TLS, with a certificate that is trusted"),
    }
}

/// How the registry wants to be told who is asking, and whether it takes what there is to say.
async fn authentication(greeting: &Greeting, registry: &Probe) -> Finding {
    let check = Check::Authentication;
    let wants = match &greeting.wants {
        Wants::Nothing => return Finding::good(check, "none: it asks nobody"),
        Wants::Password => "user and password (basic)".to_owned(),
        Wants::Token { realm, service } => match service {
            Some(service) => format!("a token of {realm} for {service} (bearer)"),
            None => format!("a token of {realm} (bearer)"),
        },
        Wants::Unknown(challenge) => format!("something unknown ({challenge})"),
        Wants::Unsaid => "something, and does not say what".to_owned(),
    };
    let credentials = match registry.credentials().await {
        Ok(credentials) => credentials,
        Err(error) => return Finding::failed(check, error),
    };
    match (registry.log_in().await, credentials) {
        (Ok(()), Credentials::Anonymous) => {
            Finding::good(check, format!("{wants}, which it gives to anybody"))
                .advice(Advice::LogIn)
        }
        (Ok(()), credentials) => {
            let who = credentials.who();
            Finding::good(check, format!("{wants}; it takes {who}"))
        }
        // Token services may have one for a public repository, and none for nothing.
        (Err(error), Credentials::Anonymous)
            if error.kind() == ErrorKind::Denied
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

/// Whether the repository can be read; and a manifest in it with one of its blobs.
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
        Ok(true) => Finding::good(check, "it has the referrers API"),
        Ok(false) => Finding::limited(check, "it has no referrers API: tags stand in for it"),
        Err(error) => Finding::limited(check, whole(&error)),
    }
}

async fn ranges(registry: &Probe, blob: Option<&Descriptor>) -> Finding {
    let check = Check::Ranges;
    let Some(blob) = blob else {
        return Finding::skipped(check, "there is no blob to try it on").advice(Advice::NameTag);
    };
    match registry.serves_ranges(blob).await {
        Ok(true) => Finding::good(
            check,
            "parts of blobs can be had: downloads continue after a cut",
        ),
        Ok(false) => {
            Finding::limited(check, "parts of blobs cannot be had").advice(Advice::FindProxy)
        }
        Err(error) => Finding::failed(check, error),
    }
}
