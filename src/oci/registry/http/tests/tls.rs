use super::*;

#[test]
fn files_without_certificates_are_an_error_that_names_them() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("some.pem");
    for content in ["", "garbage"] {
        std::fs::write(&path, content).unwrap();
        let error = Tls::read([&path], None, false).err().unwrap().to_string();
        assert!(error.contains("some.pem"), "{error}");
        assert!(error.contains("no certificate"), "{error}");
        let certificate = ClientCertificate::new(path.clone(), None);
        let error = Tls::read([], Some(&certificate), false).err().unwrap();
        assert!(error.to_string().contains("some.pem"), "{error}");
    }
}

#[test]
fn a_file_that_is_not_pem_is_an_error_that_says_why() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("some.pem");
    std::fs::write(&path, "-----BEGIN CERTIFICATE-----\nAAAA\n").unwrap();
    let error = Tls::read([&path], None, false).err().unwrap().to_string();
    let expected = "it is not PEM (a certificate has no end line)";
    assert!(error.ends_with(expected), "{error}");
}

#[test]
fn the_choice_of_a_provider_for_the_process_stays_with_the_embedding_program() {
    let tls = Tls::read([], None, false).unwrap();
    tls.config(false).unwrap();
    assert!(CryptoProvider::get_default().is_none());
}
