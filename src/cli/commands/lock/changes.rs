//! The changes in a lock file.

use serde::Serialize;
use serde_json::{Value, json};

use crate::cli::output::value_text;
use crate::client::{Lock, Locked};
use crate::content::Digest;
use crate::oci::Reference;

/// A difference between a reference and its entry in the lock file.
#[derive(Serialize)]
pub(super) struct Change {
    reference: String,
    field: &'static str,
    /// The locked value, or `null` if the reference is not locked.
    from: Value,
    to: Value,
}

/// The name of the field for digests. Every entry has one, so its changes show which references are added and removed.
const DIGEST: &str = "digest";

impl Change {
    /// Returns the change from one value to another, or `None` if they are equal.
    fn between(reference: &Reference, field: &'static str, from: Value, to: Value) -> Option<Self> {
        (from != to).then(|| Self {
            reference: reference.to_string(),
            field,
            from,
            to,
        })
    }

    pub(super) fn text(&self) -> String {
        let (reference, field) = (&self.reference, self.field);
        let (from, to) = (value_text(&self.from), value_text(&self.to));
        match field {
            DIGEST if self.from.is_null() => format!("{reference}: added, {to}"),
            DIGEST if self.to.is_null() => format!("{reference}: removed"),
            _ => format!("{reference}: {field} {from} -> {to}"),
        }
    }
}

pub(super) fn digest_change(
    known: &Lock,
    reference: &Reference,
    digest: &Digest,
) -> Option<Change> {
    let reference = reference.unpinned();
    let from = exactly(known, &reference).map(|locked| locked.digest.to_string());
    Change::between(&reference, DIGEST, from.into(), digest.to_string().into())
}

/// Returns the changes in the claims of an archive that was locked before.
pub(super) fn claims_changes(known: &Lock, locked: &Locked) -> Vec<Change> {
    let Some(before) = exactly(known, &locked.reference) else {
        return Vec::new();
    };
    let pairs = [
        ("issuer", json!(before.issuer), json!(locked.issuer)),
        ("subject", json!(before.subject), json!(locked.subject)),
        ("version", json!(before.version), json!(locked.version)),
        ("revision", json!(before.revision), json!(locked.revision)),
        ("identity", identity(before), identity(locked)),
    ];
    let change = |(field, from, to)| Change::between(&locked.reference, field, from, to);
    pairs.into_iter().filter_map(change).collect()
}

fn identity(locked: &Locked) -> Value {
    locked.identity.as_ref().map(ToString::to_string).into()
}

pub(super) fn removals(known: &Lock, references: &[Reference]) -> Vec<Change> {
    let removal = |Locked {
                       reference, digest, ..
                   }: &Locked| {
        Change::between(reference, DIGEST, digest.to_string().into(), Value::Null)
    };
    let wanted: Vec<_> = references.iter().map(Reference::unpinned).collect();
    let gone = known
        .iter()
        .filter(|locked| !wanted.contains(&locked.reference));
    gone.filter_map(removal).collect()
}

/// Returns the entry whose reference equals `reference` exactly.
fn exactly<'a>(lock: &'a Lock, reference: &Reference) -> Option<&'a Locked> {
    lock.find(reference)
        .filter(|locked| locked.reference == *reference)
}
