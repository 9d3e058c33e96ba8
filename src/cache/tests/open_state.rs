use std::path::PathBuf;
use std::sync::Barrier;

use super::super::open::Cache;
use super::super::pin::Pin;
use super::*;

const PLACE: &str = "ghcr.io/org/provider";

/// A directory for a cache and one for the state.
struct Machine(tempfile::TempDir);

impl Machine {
    fn new() -> Self {
        let machine = Self(tempfile::tempdir().unwrap());
        Cache::open(Some(&machine.cache())).unwrap();
        machine
    }

    fn cache(&self) -> PathBuf {
        self.0.path().join("cache")
    }

    fn open(&self) -> State {
        State::open(Some(&self.0.path().join("state")), Some(&self.cache())).unwrap()
    }

    /// Writes a pin to the place where older versions kept pins. Returns its path.
    fn leave(&self, place: &str, text: &str) -> PathBuf {
        let identities = self.cache().join("v1/identities");
        let path = identities.join(place).join("_identity");
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }
}

fn text(issuer: &str, revision: i32) -> String {
    format!(r#"{{"issuer":"{issuer}","subject":"V","since":9,"revisions":{{"1":{revision}}}}}"#)
}

#[test]
fn opening_creates_nothing() {
    let machine = Machine::new();
    let state = machine.open();
    assert_eq!(state.pin(PLACE).unwrap(), None);
    assert!(!state.forget_pin(PLACE).unwrap());
    assert!(!machine.0.path().join("state").exists());
}

#[test]
fn pins_that_an_older_version_left_in_the_cache_are_moved_once() {
    let machine = Machine::new();
    let places = [PLACE, "ghcr.io/org", "localhost:5000/other"];
    for place in places {
        machine.leave(place, &text("A", 3));
    }
    let together = Barrier::new(4);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                together.wait();
                let pins = machine.open().pins().unwrap();
                assert_eq!(
                    pins.keys().collect::<Vec<_>>(),
                    ["ghcr.io/org", PLACE, "localhost:5000/other"]
                );
            });
        }
    });
    assert!(!machine.cache().join("v1/identities").exists());
    let state = machine.open();
    assert_eq!(state.pin(PLACE).unwrap().unwrap().revisions["1"], 3);
    // A pin that was forgotten does not come back.
    assert!(state.forget_pin(PLACE).unwrap());
    assert_eq!(machine.open().pin(PLACE).unwrap(), None);
}

#[test]
fn a_pin_from_the_cache_is_merged_into_the_state_and_never_replaces_another_publisher() {
    let machine = Machine::new();
    machine.leave(PLACE, &text("A", 3));
    machine.open();
    machine.leave(PLACE, &text("A", 5));
    let pin = machine.open().pin(PLACE).unwrap().unwrap();
    assert_eq!((&*pin.issuer, pin.revisions["1"]), ("A", 5));

    let left = machine.leave(PLACE, &text("B", 9));
    let state = machine.open();
    let known: Option<Pin> = state.pin(PLACE).unwrap();
    assert_eq!(known, Some(pin));
    assert!(!left.exists());
    let path = state.pin_file(PLACE).unwrap().unwrap();
    let other = fs::read_to_string(path.with_file_name(OTHER)).unwrap();
    assert_eq!(other, text("B", 9));
}

#[test]
fn a_damaged_pin_from_the_cache_is_an_error() {
    let machine = Machine::new();
    machine.leave(PLACE, "{");
    let refused = machine.open().pin(PLACE).unwrap_err();
    assert!(matches!(refused, Error::DamagedPin { .. }), "{refused}");
}

#[test]
fn an_import_with_a_conflict_imports_nothing() {
    let machine = Machine::new();
    machine.leave(PLACE, &text("A", 3));
    let state = machine.open();
    let pins = |issuer: &str| {
        let pin: Pin = serde_json::from_str(&text(issuer, 4)).unwrap();
        [
            ("a.example/first".to_owned(), pin.clone()),
            (PLACE.to_owned(), pin),
        ]
    };
    let refused = state.import(pins("B").into(), false).unwrap_err();
    let said =
        "a repository is already pinned to other publishers: ghcr.io/org/provider: issuer A -> B";
    assert_eq!(refused.to_string(), said);
    assert_eq!(state.pins().unwrap().len(), 1);

    let changed = state.import(pins("A").into(), false).unwrap();
    assert_eq!(changed, ["a.example/first", PLACE]);
    assert!(state.import(pins("A").into(), false).unwrap().is_empty());
    assert_eq!(state.import(pins("B").into(), true).unwrap().len(), 2);
    assert_eq!(state.pin(PLACE).unwrap().unwrap().issuer, "B");
}
