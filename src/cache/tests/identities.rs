use std::sync::Barrier;

use super::*;

const PLACE: &str = "ghcr.io/org/provider";

fn cache() -> (tempfile::TempDir, Cache) {
    let directory = tempfile::tempdir().unwrap();
    let cache = Cache::open(Some(directory.path())).unwrap();
    (directory, cache)
}

fn pin(cache: &Cache, place: &str, issuer: &str) {
    let identity = Identity::new(issuer, "V");
    cache
        .pin::<Error>(place, |_| Ok(Some(identity.clone())))
        .unwrap();
    assert_eq!(cache.identity(place).unwrap(), Some(identity));
}

#[test]
fn a_repository_within_another_has_a_pin_of_its_own() {
    let (_directory, cache) = cache();
    assert_eq!(cache.identity(PLACE).unwrap(), None);
    assert!(cache.identities().unwrap().is_empty());
    let places = [
        "ghcr.io/org",
        "ghcr.io/org/provider",
        "localhost:5000/org/provider",
    ];
    for place in places {
        pin(&cache, place, place);
    }
    let all = cache.identities().unwrap();
    assert_eq!(all.keys().collect::<Vec<_>>(), places.each_ref());
    assert!(cache.forget_identity(PLACE).unwrap());
    assert!(!cache.forget_identity(PLACE).unwrap());
    assert_eq!(cache.identity(PLACE).unwrap(), None);
    assert_eq!(cache.identities().unwrap().len(), 2);
}

#[test]
fn a_damaged_pin_is_not_a_first_use() {
    let (_directory, cache) = cache();
    pin(&cache, PLACE, "A");
    let path = cache.paths.identity(PLACE).unwrap();
    let whole = fs::read(&path).unwrap();
    let long = vec![b' '; IDENTITY_LIMIT as usize + 1];
    for damaged in [&b""[..], &whole[..whole.len() - 1], b"{}", b"\xff", &long] {
        fs::write(&path, damaged).unwrap();
        for error in [
            cache.identity(PLACE).unwrap_err(),
            cache
                .pin::<Error>(PLACE, |_| panic!("there is no pin to decide on"))
                .unwrap_err(),
            cache.identities().unwrap_err(),
        ] {
            assert!(matches!(error, Error::DamagedIdentity { .. }), "{error}");
        }
        assert_eq!(fs::read(&path).unwrap(), damaged);
    }
    assert!(cache.forget_identity(PLACE).unwrap());
    pin(&cache, PLACE, "A");
}

#[test]
fn each_of_many_simultaneous_changes_of_a_pin_sees_the_others() {
    let (_directory, cache) = cache();
    let together = Barrier::new(8);
    std::thread::scope(|scope| {
        for tag in 0..8 {
            let (cache, together) = (cache.clone(), &together);
            scope.spawn(move || {
                together.wait();
                let decide = |known: Option<&Identity>| {
                    let fresh = Identity::new("A", "V");
                    let mut identity = known.cloned().unwrap_or(fresh);
                    identity.revisions.insert(tag.to_string(), tag);
                    Ok::<_, Error>(Some(identity))
                };
                cache.pin(PLACE, decide).unwrap();
            });
        }
    });
    let identity = cache.identity(PLACE).unwrap().unwrap();
    assert_eq!(identity.revisions.len(), 8);
}

#[test]
fn the_highest_revisions_of_very_many_tags_are_kept_and_can_be_read() {
    let (_directory, cache) = cache();
    let mut identity = Identity::new(&"A".repeat(56), &"V".repeat(56));
    for tag in 0..=TAG_LIMIT {
        let name = format!("{tag:0>128}");
        identity.revisions.insert(name, i32::MIN + tag as i32);
    }
    cache
        .pin::<Error>(PLACE, |_| Ok(Some(identity.clone())))
        .unwrap();
    let kept = cache.identity(PLACE).unwrap().unwrap().revisions;
    assert_eq!(kept.len(), TAG_LIMIT);
    assert!(!kept.contains_key(&"0".repeat(128)));
}
