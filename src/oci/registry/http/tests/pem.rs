use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;

use super::*;

#[test]
fn no_message_about_a_malformed_file_repeats_its_text() {
    for (content, expected) in [
        (
            "-----BEGIN PRIVATE KEY-----c2VjcmV0",
            "a first line is malformed",
        ),
        (
            "-----BEGIN PRIVATE KEY-----c2VjcmV0-----END PRIVATE KEY-----",
            "a key has no end line",
        ),
        (
            "-----BEGIN PRIVATE KEY-----\nsecret!\n-----END PRIVATE KEY-----\n",
            "a key is not base64",
        ),
    ] {
        let error = PrivateKeyDer::from_pem_slice(content.as_bytes()).unwrap_err();
        assert_eq!(mistake(&error, "key"), expected, "{content}");
    }
}
