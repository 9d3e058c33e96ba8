use super::*;

const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";

/// Returns the problem of a client certificate in one file with this content, and the cause of the problem.
fn problem(content: &[u8]) -> (Problem, Option<String>) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("client.pem");
    std::fs::write(&path, content).unwrap();
    let files = ClientCertificate::new(path, None);
    let provider = rustls::crypto::ring::default_provider();
    match read_identity(&files, &provider) {
        Err(Error::ClientCertificate {
            problem, source, ..
        }) => (problem, source.map(|source| source.to_string())),
        Err(error) => panic!("{error}"),
        Ok(_) => panic!("it is no certificate"),
    }
}

fn block(name: &str, content: &str) -> String {
    format!("-----BEGIN {name}-----\n{content}\n-----END {name}-----\n")
}

#[test]
fn each_problem_has_a_name() {
    let with = |key: String| format!("{CERTIFICATE}{key}").into_bytes();
    let older = "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\nAAAA";
    for (content, expected) in [
        (Vec::new(), Problem::NoCertificate),
        (b"text".to_vec(), Problem::NoCertificate),
        (vec![0x30, 0x82, 0x01], Problem::Binary),
        (block("CERTIFICATE", "!").into_bytes(), Problem::Malformed),
        (
            block("PRIVATE KEY", "AAAA").into_bytes(),
            Problem::NoCertificate,
        ),
        (with(String::new()), Problem::NoKey),
        (
            with(block("ENCRYPTED PRIVATE KEY", "AAAA")),
            Problem::EncryptedKey,
        ),
        (with(block("RSA PRIVATE KEY", older)), Problem::EncryptedKey),
        (with(block("PRIVATE KEY", "AAAA")), Problem::UnknownKey),
    ] {
        assert_eq!(
            problem(&content).0,
            expected,
            "{}",
            String::from_utf8_lossy(&content)
        );
    }
}

#[test]
fn a_problem_that_a_library_has_found_keeps_the_cause() {
    let (_, cause) = problem(block("CERTIFICATE", "!").as_bytes());
    assert_eq!(cause.unwrap(), "a certificate or key is not base64");
    let unknown = format!("{CERTIFICATE}{}", block("PRIVATE KEY", "AAAA"));
    let (_, cause) = problem(unknown.as_bytes());
    assert!(cause.unwrap().contains("failed to parse private key"));
    assert_eq!(problem(CERTIFICATE.as_bytes()), (Problem::NoKey, None));
}
