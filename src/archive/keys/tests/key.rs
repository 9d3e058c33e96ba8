use super::*;

#[test]
fn seeds_of_other_types_are_refused_and_not_shown() {
    for seed in [KeyPair::new_user().seed().unwrap(), "SAB".to_owned()] {
        let error = Key::from_seed(&seed).unwrap_err();
        assert!(!format!("{error:?} {error}").contains(&seed), "{error:?}");
    }
    let key = Key::generate(KeyKind::Service);
    let parsed = Key::from_seed(&key.seed().unwrap()).unwrap();
    assert_eq!(parsed.kind(), KeyKind::Service);
    assert_eq!(
        format!("{parsed:?}"),
        format!("Key({:?})", key.public_key())
    );
}
