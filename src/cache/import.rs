//! Importing pins from another machine.

use std::collections::BTreeMap;

use super::error::Error;
use super::lock::Lock;
use super::pin::Pin;
use super::state::State;

/// An import that has been checked. The state is locked while it exists.
pub(crate) struct Import<'a> {
    state: &'a State,
    /// The pins to write, each with the pin that it replaces.
    changed: Vec<(String, Option<Pin>, Pin)>,
    _lock: Lock,
}

impl State {
    /// Adds `pins`, by `registry/repository`, to the pins of the state. Returns the repositories whose pins have
    /// changed. Two pins to one publisher are merged into one with all revisions, accounts and digests. Blocks.
    ///
    /// With `replace`, a pin to another publisher is replaced.
    ///
    /// # Errors
    ///
    /// [`Error::OtherPins`] without `replace`, and the errors of [`pin`](Self::pin). After an error, no pin
    /// is imported.
    pub fn import(&self, pins: BTreeMap<String, Pin>, replace: bool) -> Result<Vec<String>, Error> {
        self.prepare_import(pins, replace)?.write()
    }

    /// Compares `pins` with the pins of the state, for an [import](Self::import). Writes nothing. Blocks.
    pub(crate) fn prepare_import(
        &self,
        pins: BTreeMap<String, Pin>,
        replace: bool,
    ) -> Result<Import<'_>, Error> {
        let lock = self.lock()?;
        let (mut changed, mut conflicts) = (Vec::new(), Vec::new());
        for (place, pin) in pins {
            let known = match self.pin(&place) {
                Err(Error::DamagedPin { .. }) if replace => None,
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
        Ok(Import {
            state: self,
            changed,
            _lock: lock,
        })
    }
}

impl Import<'_> {
    /// Writes the pins. Returns the repositories whose pins have changed. After an error, no pin is imported. Blocks.
    pub(crate) fn write(self) -> Result<Vec<String>, Error> {
        let mut written: Vec<(String, Option<Pin>)> = Vec::new();
        for (place, known, pin) in self.changed {
            if let Err(error) = self.state.write(&place, pin) {
                restore(self.state, written);
                return Err(error);
            }
            written.push((place, known));
        }
        Ok(written.into_iter().map(|(place, _)| place).collect())
    }
}

/// Restores the earlier values of the pins that were written.
fn restore(state: &State, written: Vec<(String, Option<Pin>)>) {
    for (place, known) in written {
        let restored = match known {
            Some(known) => state.write(&place, known),
            None => state.remove(&place).map(drop),
        };
        if let Err(error) = restored {
            tracing::warn!("cannot undo the import of the pin of {place}: {error}");
        }
    }
}

/// Returns a text with the differences between the known pin and another pin of a repository.
fn difference(place: &str, known: &Pin, other: &Pin) -> String {
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
