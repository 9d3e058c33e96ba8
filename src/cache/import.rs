//! Importing pins from another machine.

use std::collections::BTreeMap;

use super::error::Error;
use super::identity::Identity;
use super::state::State;

impl State {
    /// Adds `pins`, by `registry/repository`, to the pins of the state. Returns the repositories whose pins have
    /// changed. Two pins to one publisher are merged into one with all revisions, accounts and digests. Blocks.
    ///
    /// With `replace`, a pin to another publisher is replaced.
    ///
    /// # Errors
    ///
    /// [`Error::OtherPins`] without `replace`, and the errors of [`identity`](Self::identity). After an error, no pin
    /// is imported.
    pub fn import(
        &self,
        pins: BTreeMap<String, Identity>,
        replace: bool,
    ) -> Result<Vec<String>, Error> {
        let _lock = self.lock()?;
        let (mut changed, mut conflicts) = (Vec::new(), Vec::new());
        for (place, pin) in pins {
            let known = match self.identity(&place) {
                Err(Error::DamagedIdentity { .. }) if replace => None,
                known => known?,
            };
            let merged = match &known {
                None => Some(pin),
                Some(known) => match known.merged(&pin) {
                    None if replace => Some(pin),
                    None => {
                        conflicts.push(difference(&place, known, &pin));
                        None
                    }
                    merged => merged,
                },
            };
            changed.extend(
                merged
                    .filter(|merged| known.as_ref() != Some(merged))
                    .map(|pin| (place, known, pin)),
            );
        }
        if !conflicts.is_empty() {
            return Err(Error::OtherPins(conflicts));
        }
        let mut written: Vec<(String, Option<Identity>)> = Vec::new();
        for (place, known, pin) in changed {
            if let Err(error) = self.write(&place, pin) {
                self.restore(written);
                return Err(error);
            }
            written.push((place, known));
        }
        Ok(written.into_iter().map(|(place, _)| place).collect())
    }

    /// Restores the earlier values of the pins that were written.
    fn restore(&self, written: Vec<(String, Option<Identity>)>) {
        for (place, known) in written {
            let restored = match known {
                Some(known) => self.write(&place, known),
                None => self.remove(&place).map(drop),
            };
            if let Err(error) = restored {
                tracing::warn!("cannot undo the import of the pin of {place}: {error}");
            }
        }
    }
}

/// Returns a text with the differences between the known pin and another pin of a repository.
fn difference(place: &str, known: &Identity, other: &Identity) -> String {
    let pairs = [
        ("issuer", &known.issuer, &other.issuer),
        ("subject", &known.subject, &other.subject),
    ];
    let changes = pairs.into_iter().filter(|(_, known, other)| known != other);
    let changes: Vec<String> = changes
        .map(|(role, known, other)| {
            format!(
                "{role} {} -> {}",
                known.escape_debug(),
                other.escape_debug()
            )
        })
        .collect();
    format!("{place}: {}", changes.join(", "))
}
