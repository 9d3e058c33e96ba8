use data_encoding::{BASE64, BASE64URL_NOPAD, HEXLOWER, HEXUPPER};
use nkeys::{KeyPair, KeyPairType};

const KINDS: [KeyPairType; 4] = [
    KeyPairType::Account,
    KeyPairType::Service,
    KeyPairType::User,
    KeyPairType::Operator,
];

/// Returns the text without its seeds.
fn hidden(text: &str) -> String {
    crate::cli::output::hide_secrets(text).into_owned()
}

/// Returns a text that somebody may give in place of a seed, and the longest part of it that may be shown.
fn mangled(seed: &str) -> Vec<(String, usize)> {
    let (first, second) = seed.split_at(28);
    let mut one_lower = seed.to_owned();
    one_lower.replace_range(10..11, &seed[10..11].to_lowercase());
    let capital = format!("{}{}", &seed[..1], seed[1..].to_lowercase());
    let base64 = BASE64.encode(seed.as_bytes());
    let wrapped = format!("{}\n{}", &base64[..76], &base64[76..]);
    [
        (seed.to_owned(), 0),
        (seed.to_lowercase(), 0),
        (seed[1..].to_owned(), 0),
        (seed[1..].to_lowercase(), 0),
        (seed[..57].to_owned(), 0),
        (seed[..30].to_owned(), 0),
        (one_lower, 0),
        (capital, 0),
        (format!("{seed}x"), 0),
        (format!("{seed}x1Z"), 3),
        (format!("{seed}123"), 3),
        (format!("seed{seed}"), 4),
        (format!("x{seed}y"), 2),
        (format!("9{}9", &seed[1..]), 2),
        (format!("{first}0{}", &second[1..]), 0),
        (format!("{first} {second}"), 0),
        (format!("{first}\n{second}"), 0),
        (format!("{first}\\n{second}"), 0),
        (format!("{first}\r\n  {second}"), 0),
        (format!("{} {second}", &first[1..]), 0),
        (base64.clone(), 2),
        (wrapped, 5),
        (format!("./{base64}"), 4),
        (format!("dir/{base64}"), 2),
        (BASE64.encode(format!("{seed}\n").as_bytes()), 2),
        (BASE64.encode(&seed.as_bytes()[1..]), 2),
        (BASE64URL_NOPAD.encode(seed.as_bytes()), 0),
        (HEXLOWER.encode(seed.as_bytes()), 0),
        (HEXUPPER.encode(seed.as_bytes()), 0),
    ]
    .into()
}

#[test]
fn mangled_seeds_are_found_anywhere_in_a_message() {
    for kind in KINDS {
        for _ in 0..20 {
            let seed = KeyPair::new(kind.clone()).seed().unwrap();
            for (text, rest) in mangled(&seed) {
                for (before, after) in [("", ""), ("cannot read `", "`: not found"), ("a=", ",b")] {
                    let message = format!("{before}{text}{after}");
                    let shown = hidden(&message);
                    let most = before.len() + "S…".len() + rest + after.len();
                    assert!(
                        shown.contains("S…") && shown.len() <= most,
                        "{message}: {shown}"
                    );
                }
            }
        }
    }
}

#[test]
fn public_keys_digests_paths_and_words_are_no_seeds() {
    for kind in KINDS {
        for _ in 0..200 {
            let key = KeyPair::new(kind.clone()).public_key();
            for text in [
                key.clone(),
                format!("the issuer would change from {key} to {key}"),
                format!("keys/{key}.nk"),
            ] {
                assert_eq!(hidden(&text), text);
            }
        }
    }
    let digest = crate::content::Digest::of(b"content");
    for text in [
        digest.to_string(),
        digest.hex().to_uppercase(),
        BASE64.encode(digest.hex().as_bytes()),
        "SourceRepositoryDigestMismatchErrorOfTheRegistry".to_owned(),
        "sigstore_verify::SignatureVerificationErrorInTheTransparencyLog".to_owned(),
        "/home/somebody/projects/some-provider/target/x86_64-unknown-linux-musl/release/provider"
            .to_owned(),
        "Some sentences have only letters and spaces So Such a sentence Should Stay as it is Sir"
            .to_owned(),
        "eyJ0eXAiOiJqd3QiLCJhbGciOiJFZDI1NTE5In0.eyJqdGkiOiI3S2swYUZEQlNWcVZ5S1dLS1dqVyIsImlhdCI6MTcw"
            .to_owned(),
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ0yN2M3ZTk4YzQ0ZTRhNTFhNGQzZTU0YzE5ODM2".to_owned(),
        "SHA256:uNiVztksCsDhcc0u9e8BrqXVUFVOMaj1NCmMCQXBDTo".to_owned(),
    ] {
        assert_eq!(hidden(&text), text);
    }
}
