use std::sync::Barrier;

use super::super::pin::TAG_LIMIT;
use super::*;

const PLACE: &str = "ghcr.io/org/provider";

fn state() -> (tempfile::TempDir, State) {
    let directory = tempfile::tempdir().unwrap();
    let state = State::in_directory(Some(directory.path())).unwrap();
    (directory, state)
}

fn pin(state: &State, place: &str, issuer: &str) {
    let identity = Pin::new(issuer, "V");
    state
        .change_pin::<Error>(place, |_| Ok(Some(identity.clone())))
        .unwrap();
    assert_eq!(state.pin(place).unwrap(), Some(identity));
}

#[test]
fn a_repository_within_another_has_a_pin_of_its_own() {
    let (_directory, state) = state();
    assert_eq!(state.pin(PLACE).unwrap(), None);
    assert!(state.pins().unwrap().is_empty());
    let places = [
        "ghcr.io/org",
        "ghcr.io/org/provider",
        "localhost:5000/org/provider",
    ];
    for place in places {
        pin(&state, place, place);
    }
    let all = state.pins().unwrap();
    assert_eq!(all.keys().collect::<Vec<_>>(), places.each_ref());
    assert!(state.forget_pin(PLACE).unwrap());
    assert!(!state.forget_pin(PLACE).unwrap());
    assert_eq!(state.pin(PLACE).unwrap(), None);
    assert_eq!(state.pins().unwrap().len(), 2);
}

#[test]
fn a_damaged_pin_is_an_error_and_not_a_missing_pin() {
    let (_directory, state) = state();
    pin(&state, PLACE, "A");
    let path = state.pin_file(PLACE).unwrap().unwrap();
    let whole = fs::read(&path).unwrap();
    let long = vec![b' '; PIN_LIMIT as usize + 1];
    for damaged in [
        &b""[..],
        &whole[..whole.len() - 1],
        b"{}",
        b"null",
        b"\xff",
        &long,
    ] {
        fs::write(&path, damaged).unwrap();
        for error in [
            state.pin(PLACE).unwrap_err(),
            state
                .change_pin::<Error>(PLACE, |_| panic!("there is no pin to decide on"))
                .unwrap_err(),
            state.pins().unwrap_err(),
        ] {
            assert!(matches!(error, Error::DamagedPin { .. }), "{error}");
        }
        assert_eq!(fs::read(&path).unwrap(), damaged);
    }
    assert!(state.forget_pin(PLACE).unwrap());
    pin(&state, PLACE, "A");
}

#[cfg(unix)]
#[test]
fn pins_behind_a_link_to_nothing_do_not_count_as_missing() {
    let (directory, state) = state();
    pin(&state, PLACE, "A");
    let file = state.pin_file(PLACE).unwrap().unwrap();
    let elsewhere = directory.path().join("elsewhere");
    // The file itself, the directory of the repository, all pins, and the state.
    for path in file
        .ancestors()
        .take_while(|path| *path != directory.path())
    {
        fs::rename(path, &elsewhere).unwrap();
        std::os::unix::fs::symlink("nothing", path).unwrap();
        let error = state.pin(PLACE).unwrap_err();
        assert!(error.to_string().contains(PLACE) || matches!(error, Error::StateFile { .. }));
        state
            .change_pin::<Error>(PLACE, |_| panic!("the pin is unknown"))
            .unwrap_err();
        state.pins().unwrap_err();
        fs::remove_file(path).unwrap();
        // A link to the pins is followed.
        std::os::unix::fs::symlink(&elsewhere, path).unwrap();
        assert_eq!(state.pins().unwrap().keys().collect::<Vec<_>>(), [PLACE]);
        fs::remove_file(path).unwrap();
        fs::rename(&elsewhere, path).unwrap();
    }
    fs::remove_file(&file).unwrap();
    fs::create_dir(&file).unwrap();
    state.pins().unwrap_err();
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
                let decide = |known: Option<&Pin>| {
                    let fresh = Pin::new("A", "V");
                    let mut identity = known.cloned().unwrap_or(fresh);
                    identity.revisions.insert(tag.to_string(), tag);
                    Ok::<_, Error>(Some(identity))
                };
                state.change_pin(PLACE, decide).unwrap();
            });
        }
    });
    let identity = state.pin(PLACE).unwrap().unwrap();
    assert_eq!(identity.revisions.len(), 8);
}

#[test]
fn the_highest_revisions_of_very_many_tags_are_kept_and_can_be_read() {
    let (_directory, state) = state();
    let mut identity = Pin::new(&"A".repeat(56), &"V".repeat(56));
    for tag in 0..=TAG_LIMIT {
        let name = format!("{tag:0>128}");
        identity.revisions.insert(name, i32::MIN + tag as i32);
    }
    state
        .change_pin::<Error>(PLACE, |_| Ok(Some(identity.clone())))
        .unwrap();
    let kept = state.pin(PLACE).unwrap().unwrap().revisions;
    assert_eq!(kept.len(), TAG_LIMIT);
    assert!(!kept.contains_key(&"0".repeat(128)));
}

#[test]
fn an_import_writes_nothing_before_its_last_step() {
    let (_directory, state) = state();
    let pins = BTreeMap::from([(PLACE.to_owned(), Pin::new("A", "V"))]);
    drop(state.prepare_import(pins.clone(), false).unwrap());
    assert_eq!(state.pin(PLACE).unwrap(), None);
    let import = state.prepare_import(pins, false).unwrap();
    assert_eq!(import.write().unwrap(), [PLACE]);
    assert!(state.pin(PLACE).unwrap().is_some());
}
