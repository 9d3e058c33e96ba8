//! `par trust check`

use std::ffi::OsString;

use anyhow::Result;
use serde_json::{Value, json};

use crate::cli::arguments::{LockArgs, PullArgs, RegistryArgs, TrustArgs};
use crate::cli::output::{Answer, Problem};
use crate::cli::session::Session;
use crate::cli::vouching;
use crate::client::{TrustPolicy, TrustReport};
use crate::content::time_text;

#[derive(clap::Args)]
pub(super) struct Args {
    /// The archive
    #[arg(value_name = "REF")]
    reference: OsString,
    #[command(flatten)]
    lock: LockArgs,
    #[command(flatten)]
    trust: TrustArgs,
    #[command(flatten)]
    pull: PullArgs,
    #[command(flatten)]
    registry: RegistryArgs,
}

pub(super) async fn run(args: Args, session: &Session) -> Result<Answer> {
    let is_locked = args.lock.is_given();
    let reference = args.registry.reference(&args.reference, is_locked)?;
    let trust = args.trust.policy().await?;
    let pull = args.pull.policy()?;
    let client = args.registry.client(session, trust.clone()).await?;
    let client = client.with_pull_policy(pull);
    let client = args.lock.restrict(client).await?;
    let report = client.check_trust(&reference).await;
    let mut report = report.map_err(|error| args.lock.explain(error))?;

    let mut refusals: Vec<Problem> = Vec::new();
    for refusal in std::mem::take(&mut report.refusals) {
        refusals.push(Problem::of(&args.lock.explain(refusal)));
    }
    let audited: Vec<String> = report.audited.iter().map(ToString::to_string).collect();
    let verdict = if refusals.is_empty() {
        "is accepted"
    } else {
        "is refused"
    };
    let mut lines = vec![format!("{reference} {verdict}")];
    let mut rows = rows(&report, &trust, is_locked);
    rows.extend(audited.iter().map(|text| ("audited", text.clone())));
    rows.extend(
        refusals
            .iter()
            .map(|refusal| ("refused", refusal.message.clone())),
    );
    lines.extend(
        rows.iter()
            .map(|(label, text)| format!("  {label:9}  {text}")),
    );

    let listed = refusals.iter().map(
        |refusal| json!({ "kind": refusal.kind, "message": refusal.message, "hint": refusal.hint }),
    );
    let listed: Value = listed.collect();
    Ok(fields(&report, Answer::lines(lines))
        .field("reference", reference.to_string())
        .field("accepted", refusals.is_empty())
        .field("audited", audited)
        .field("refusals", listed)
        .failing(refusals.into_iter().next()))
}

/// Returns a label and a text for each of the rule, the pin, the lock and the other reasons.
fn rows(report: &TrustReport, trust: &TrustPolicy, is_locked: bool) -> Vec<(&'static str, String)> {
    let claims = &report.claims;
    let revision = claims
        .revision()
        .map_or("no revision".to_owned(), |revision| {
            format!("revision {revision}")
        });
    let mut rows = vec![
        ("manifest", report.digest.to_string()),
        (
            "signature",
            format!(
                "by {} for {}, {revision}",
                claims.issuer(),
                claims.subject()
            ),
        ),
        ("policy", policy(report, trust)),
    ];
    rows.push((
        "pin",
        match (&report.pin, &report.repository) {
            (Some(pin), Some(repository)) => {
                let mut text = format!(
                    "{repository} has been pinned to {} and {} since {}",
                    pin.issuer,
                    pin.subject,
                    pin.date()
                );
                for (issuer, former) in &pin.former {
                    let word = if former.retired { "retired" } else { "also" };
                    text.push_str(&format!("; {word} {issuer}"));
                }
                text
            }
            (None, Some(repository)) => format!("{repository} is not pinned yet"),
            (_, None) => "the repository is never pinned".to_owned(),
        },
    ));
    if let Some(rotation) = &report.rotation {
        let retires = if rotation.retires() {
            ", which retires"
        } else {
            ""
        };
        let date = time_text(rotation.date());
        let text = format!(
            "{} -> {}{retires}, of {date}",
            rotation.from(),
            rotation.to()
        );
        rows.push(("rotation", text));
    }
    rows.extend(report.identity.iter().flat_map(vouching::rows));
    rows.push((
        "lock",
        match &report.locked {
            Some(locked) => {
                let identity = locked.identity.as_ref();
                let identity = identity.map(|identity| format!(", {identity}"));
                let (issuer, subject) = (&locked.issuer, &locked.subject);
                let identity = identity.unwrap_or_default();
                format!("{} by {issuer}, {subject}{identity}", locked.digest)
            }
            None if is_locked => "no entry".to_owned(),
            None => "none is given".to_owned(),
        },
    ));
    rows
}

/// Returns which part of the policy decides about the issuer.
fn policy(report: &TrustReport, trust: &TrustPolicy) -> String {
    let issuer = report.claims.issuer().as_str();
    if trust.revoked.iter().any(|revoked| revoked == issuer) {
        return "the issuer is revoked".to_owned();
    }
    match &report.rule {
        _ if !trust.issuers.is_empty() => "issuers are named with --issuer".to_owned(),
        Some(pattern) => format!("the rule for {pattern}"),
        None if trust.deny_others => {
            "no rule matches, and the policy denies such references".to_owned()
        }
        None => "no rule matches, and any issuer is allowed".to_owned(),
    }
}

fn fields(report: &TrustReport, answer: Answer) -> Answer {
    let claims = &report.claims;
    // The fields of a pin are those of `par trust list`.
    let pin = report.pin.as_ref().map(|pin| {
        json!({
            "repository": report.repository,
            "issuer": pin.issuer,
            "service": pin.subject,
            "since": pin.date(),
            "revisions": pin.revisions,
            "former": pin.former,
        })
    });
    let rotation = report.rotation.as_ref().map(|rotation| {
        let providers = rotation.providers().iter().map(ToString::to_string);
        json!({
            "from": rotation.from().as_str(),
            "to": rotation.to().as_str(),
            "providers": providers.collect::<Vec<_>>(),
            "retire": rotation.retires(),
            "date": time_text(rotation.date()),
        })
    });
    let lock = report.locked.as_ref().map(|locked| {
        json!({
            "reference": locked.reference.to_string(),
            "digest": locked.digest.to_string(),
            "issuer": locked.issuer,
            "service": locked.subject,
            "version": locked.version,
            "revision": locked.revision,
            "identity": locked.identity.as_ref().map(ToString::to_string),
        })
    });
    answer
        .field("digest", report.digest.to_string())
        .field("issuer", claims.issuer().as_str())
        .field("service", claims.subject().as_str())
        .field("revision", claims.revision())
        .field("rule", report.rule.as_ref().map(ToString::to_string))
        .field("pin", pin)
        .field("rotation", rotation)
        .field("identity", vouching::value(report.identity.as_ref()))
        .field("lock", lock)
}
