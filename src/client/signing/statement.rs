//! The statement of in-toto that a bundle carries.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::value::RawValue;

use crate::content::{Algorithm, Digest};

use super::error::SigningError;
use super::predicate::Predicate;

/// A statement of in-toto, version 1.
#[derive(Serialize)]
pub(super) struct Statement<'a> {
    #[serde(rename = "_type")]
    statement_type: &'static str,
    subject: [Subject<'a>; 1],
    #[serde(rename = "predicateType")]
    predicate_type: &'a str,
    predicate: &'a RawValue,
}

#[derive(Serialize)]
struct Subject<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    digest: BTreeMap<&'static str, &'a str>,
}

impl<'a> Statement<'a> {
    /// Returns the statement with `predicate` about a manifest. `name` is the name of its repository.
    pub(super) fn new(
        manifest: &'a Digest,
        name: Option<&'a str>,
        predicate: &'a Predicate,
    ) -> Self {
        let algorithm = match manifest.algorithm() {
            Algorithm::Sha256 => "sha256",
            Algorithm::Sha512 => "sha512",
        };
        Self {
            statement_type: "https://in-toto.io/Statement/v1",
            subject: [Subject {
                name,
                digest: BTreeMap::from([(algorithm, manifest.hex())]),
            }],
            predicate_type: predicate.predicate_type(),
            predicate: predicate.content(),
        }
    }

    /// Returns the statement in JSON. The signature is about these bytes.
    pub(super) fn to_bytes(&self) -> Result<Vec<u8>, SigningError> {
        serde_json::to_vec(self).map_err(|error| SigningError::Encode {
            what: "the statement",
            source: error.into(),
        })
    }
}

#[cfg(test)]
#[path = "tests/statement.rs"]
mod tests;
