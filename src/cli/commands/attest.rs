//! `par attest`

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use clap::ValueHint;
use serde_json::{Value, json};

use crate::cli::arguments::{RegistryArgs, SigstoreArgs, variable};
use crate::cli::files::read_beyond;
use crate::cli::output::{Answer, Failure};
use crate::cli::session::Session;
use crate::cli::threads::detached;
use crate::cli::vouching;
use crate::client::signing::Predicate;
use crate::client::{Attested, TrustPolicy};
use crate::oci::Reference;

use super::pinned::pinned;

/// Sign a statement about a manifest with Sigstore, attach it, and print its reference by digest
///
/// Without --predicate, the statement is the SLSA provenance of this job of GitHub Actions or GitLab: it names the
/// workflow that built the manifest, and the commit. `par verify --identity`, a trust policy and `cosign
/// verify-attestation` check statements.
///
/// The statement is signed with the identity of the job. The transparency log of the instance publishes this identity,
/// the digest of the statement and the time. A statement that does not verify is not attached.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  par attest ghcr.io/org/provider:1.0.0
  par attest ghcr.io/org/provider:1.0.0 --predicate provider.cdx.json --type cyclonedx
  par attest ghcr.io/org/provider:1.0.0 --predicate audit.json --type https://example.org/audit/v1
  par attest ghcr.io/org/provider:1.0.0 --signing-config signing_config.json --trusted-root trusted_root.json")]
pub(crate) struct Args {
    /// The manifest that the statement is about. It may be that of any kind of artifact
    #[arg(value_name = "REF")]
    reference: OsString,
    /// A file with the predicate, which is the content of the statement: a JSON object; `-` reads it from standard
    /// input. Default: the provenance of the CI job
    #[arg(
        long,
        value_name = "FILE|-",
        value_hint = ValueHint::FilePath,
        requires = "predicate_type"
    )]
    predicate: Option<PathBuf>,
    /// The type of the predicate: a URI, or one of cosign's names: slsaprovenance1, slsaprovenance, spdxjson,
    /// cyclonedx, vuln, openvex, link, custom
    #[arg(
        long = "type",
        id = "predicate_type",
        value_name = "TYPE",
        requires = "predicate"
    )]
    predicate_type: Option<String>,
    #[command(flatten)]
    sigstore: SigstoreArgs,
    #[command(flatten)]
    registry: RegistryArgs,
}

pub(crate) async fn run(args: Args, session: &Session) -> Result<Answer> {
    let reference = args.registry.reference(&args.reference, false)?;
    args.sigstore.check()?;
    let predicate = match (args.predicate, args.predicate_type) {
        (Some(path), Some(kind)) => {
            detached(move || Ok(Predicate::new(&kind, &read(&path)?)?)).await?
        }
        _ => Predicate::provenance(variable)?,
    };
    let signer = args.sigstore.signer().await?;
    let client = args.registry.client(session, TrustPolicy::anyone()).await?;
    let attested = client.attest(&reference, &predicate, &signer).await?;
    tell(&attested, session);
    Ok(pinned(&reference, &attested.digest)
        .field("subject", attested.subject.to_string())
        .field("identity", vouching::value(Some(&attested.identity))))
}

/// Tells the user which identity has signed a statement, and its entry in the transparency log.
pub(super) fn tell(attested: &Attested, session: &Session) {
    let identity = &attested.identity;
    let log = identity.log.as_ref();
    let log = log.map(|entry| format!(", entry {} of {}", entry.index, entry.log));
    session.note(&format!(
        "signed by {} of {}{}",
        identity.subject,
        identity.issuer,
        log.unwrap_or_default()
    ));
}

/// Returns a signature for a JSON answer.
pub(super) fn to_json(reference: &Reference, attested: &Attested) -> Value {
    json!({
        "reference": reference.pinned(&attested.digest),
        "digest": attested.digest.to_string(),
        "identity": vouching::value(Some(&attested.identity)),
    })
}

/// Reads a predicate. One that is too large is refused when it is parsed. Blocks.
fn read(path: &Path) -> Result<Vec<u8>> {
    let bytes = read_beyond(path, "the predicate", Predicate::LIMIT)?;
    if bytes.is_empty() {
        bail!(Failure::usage("the file with the predicate is empty"));
    }
    Ok(bytes)
}
