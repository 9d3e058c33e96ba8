//! Changing the entries in the text of an index. All other bytes of the text stay the same, because other tools may
//! need fields that this crate does not know, and their order.

use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::value::RawValue;

/// The field with the entries.
const ENTRIES: &str = "manifests";

/// Returns the index `text` with the entries `after` in place of `before`. The entries that stay must be in the same
/// order in both.
pub(super) fn with_entries(
    text: &str,
    before: &[Value],
    after: &[Value],
) -> serde_json::Result<String> {
    let Fields(fields) = serde_json::from_str(text)?;
    let old = fields.iter().find(|(name, _)| name == ENTRIES);
    // `null` is an empty list.
    let old: Option<Option<Vec<&RawValue>>> = old
        .map(|(_, list)| serde_json::from_str(list.get()))
        .transpose()?;
    let old = old.flatten().unwrap_or_default();
    let mut next = 0;
    let entries = after.iter().map(|entry| {
        let rest = before.get(next..).unwrap_or_default();
        let unchanged = rest.iter().position(|before| before == entry);
        let text = unchanged.and_then(|skipped| {
            next += skipped;
            let text = old.get(next)?;
            next += 1;
            Some(text.get().to_owned())
        });
        text.unwrap_or_else(|| entry.to_string())
    });
    let entries = format!("[{}]", entries.collect::<Vec<_>>().join(","));
    let mut written: Vec<String> = Vec::new();
    for (name, value) in &fields {
        let value = if name == ENTRIES {
            &entries
        } else {
            value.get()
        };
        written.push(format!("{}:{value}", Value::from(name.as_str())));
    }
    if !fields.iter().any(|(name, _)| name == ENTRIES) {
        written.push(format!("\"{ENTRIES}\":{entries}"));
    }
    Ok(format!("{{{}}}", written.join(",")))
}

/// The fields of an object in their order, each with its text.
struct Fields<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Fields<'a> {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        struct InOrder;

        impl<'de> Visitor<'de> for InOrder {
            type Value = Vec<(String, &'de RawValue)>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(fields)
            }
        }

        input.deserialize_map(InOrder).map(Fields)
    }
}

#[cfg(test)]
#[path = "tests/index_text.rs"]
mod tests;
