use std::sync::Barrier;

use super::super::identity::TAG_LIMIT;
use super::*;

const PLACE: &str = "ghcr.io/org/provider";

fn state() -> (tempfile::TempDir, State) {
    let directory = tempfile::tempdir().unwrap();
    let state = State::in_directory(Some(directory.path())).unwrap();
    (directory, state)
}

fn pin(state: &State, place: &str, issuer: &str) {
    let identity = Identity::new(issuer, "V");
    state
        .pin::<Error>(place, |_| Ok(Some(identity.clone())))
        .unwrap();
    assert_eq!(state.identity(place).unwrap(), Some(identity));
}

#[test]
fn a_repository_within_another_has_a_pin_of_its_own() {
    let (_directory, state) = state();
    assert_eq!(state.identity(PLACE).unwrap(), None);
    assert!(state.identities().unwrap().is_empty());
    let places = [
        "ghcr.io/org",
        "ghcr.io/org/provider",
        "localhost:5000/org/provider",
    ];
    for place in places {
        pin(&state, place, place);
    }
    let all = state.identities().unwrap();
    assert_eq!(all.keys().collect::<Vec<_>>(), places.each_ref());
    assert!(state.forget_identity(PLACE).unwrap());
    assert!(!state.forget_identity(PLACE).unwrap());
    assert_eq!(state.identity(PLACE).unwrap(), None);
    assert_eq!(state.identities().unwrap().len(), 2);
}

#[test]
fn a_damaged_pin_is_an_error_and_not_a_missing_pin() {
    let (_directory, state) = state();
    pin(&state, PLACE, "A");
    let path = state.identity_file(PLACE).unwrap().unwrap();
    let whole = fs::read(&path).unwrap();
    let long = vec![b' '; IDENTITY_LIMIT as usize + 1];
    for damaged in [&b""[..], &whole[..whole.len() - 1], b"{}", b"\xff", &long] {
        fs::write(&path, damaged).unwrap();
        for error in [
            state.identity(PLACE).unwrap_err(),
            state
                .pin::<Error>(PLACE, |_| panic!("there is no pin to decide on"))
                .unwrap_err(),
            state.identities().unwrap_err(),
        ] {
            assert!(matches!(error, Error::DamagedIdentity { .. }), "{error}");
        }
        assert_eq!(fs::read(&path).unwrap(), damaged);
    }
    assert!(state.forget_identity(PLACE).unwrap());
    pin(&state, PLACE, "A");
}

#[test]
fn each_of_many_simultaneous_changes_of_a_pin_sees_the_others() {
    let (_directory, state) = state();
    let together = Barrier::new(8);
    std::thread::scope(|scope| {
        for tag in 0..8 {
            let (state, together) = (state.clone(), &together);
            scope.spawn(move || {
                together.wait();
                let decide = |known: Option<&Identity>| {
                    let fresh = Identity::new("A", "V");
                    let mut identity = known.cloned().unwrap_or(fresh);
                    identity.revisions.insert(tag.to_string(), tag);
                    Ok::<_, Error>(Some(identity))
                };
                state.pin(PLACE, decide).unwrap();
            });
        }
    });
    let identity = state.identity(PLACE).unwrap().unwrap();
    assert_eq!(identity.revisions.len(), 8);
}

#[test]
fn the_highest_revisions_of_very_many_tags_are_kept_and_can_be_read() {
    let (_directory, state) = state();
    let mut identity = Identity::new(&"A".repeat(56), &"V".repeat(56));
    for tag in 0..=TAG_LIMIT {
        let name = format!("{tag:0>128}");
        identity.revisions.insert(name, i32::MIN + tag as i32);
    }
    state
        .pin::<Error>(PLACE, |_| Ok(Some(identity.clone())))
        .unwrap();
    let kept = state.identity(PLACE).unwrap().unwrap().revisions;
    assert_eq!(kept.len(), TAG_LIMIT);
    assert!(!kept.contains_key(&"0".repeat(128)));
}
