use super::*;

#[test]
fn only_public_keys_of_accounts_name_issuers() {
    let key = KeyPair::new_account();
    assert_eq!(account(&key.public_key()).unwrap(), key.public_key());
    assert!(account(&key.seed().unwrap()).is_err());
    assert!(account(&KeyPair::new_service().public_key()).is_err());
}
