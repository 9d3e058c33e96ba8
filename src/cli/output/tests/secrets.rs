use super::hide_secrets;

const SEED: &str = "SAAEQJCHHOXE7XMUYOYK5FRQPO2RA7YBZSXDYS4A4PEYEJPQDYBWV55UWM";

#[test]
fn a_seed_is_hidden_anywhere_in_a_message() {
    let cases = [
        (SEED.to_owned(), "S…".to_owned()),
        (
            format!("cannot read {SEED}: no such file"),
            "cannot read S…: no such file".to_owned(),
        ),
        (
            format!("ghcr.io/{SEED} and ghcr.io/{SEED}"),
            "ghcr.io/S… and ghcr.io/S…".to_owned(),
        ),
        (format!("`{}`", &SEED[..40]), "`S…`".to_owned()),
        (SEED.to_lowercase(), "S…".to_owned()),
        (format!("ö{SEED}ö"), "öS…ö".to_owned()),
    ];
    for (text, shown) in cases {
        assert_eq!(hide_secrets(&text), shown);
    }
}

#[test]
fn public_keys_digests_and_words_are_shown() {
    for text in [
        "AD6FR6OEGG3IASWJJQN5DWYQLWD32GNLQG7PB2VYFTNWB464TJCQP4X6",
        "VDXXBXNB6RIBFZ5UFVSYY7LX4EJMQ3R7K7WUXQGJQX3ADH5GOJK6DMUR",
        "sha256:c79bf44242829108e323378531f4ac839513ca1fba45efd6583643526e1e9fd2",
        "SOURCE_DATE_EPOCH, a Script and ghcr.io/some-organization/some-provider",
        "eyJ0eXAiOiJqd3QiLCJhbGciOiJFZDI1NTE5In0",
        "",
    ] {
        assert_eq!(hide_secrets(text), text);
    }
}

#[test]
fn users_and_passwords_in_front_of_a_host_are_left_out() {
    for (text, shown) in [
        (
            "invalid value 'https://me:geheim@ghcr.io' for '<REGISTRY>'",
            "invalid value 'https://ghcr.io' for '<REGISTRY>'",
        ),
        (
            "cannot read me:geheim@ghcr.io/a:1: No such file",
            "cannot read ghcr.io/a:1: No such file",
        ),
        ("`http://geheim@ghcr.io/a`", "`http://ghcr.io/a`"),
        ("'me:geheim@ghcr.io'", "'ghcr.io'"),
        ("'me:ge/heim@ghcr.io/a:1' found", "'ghcr.io/a:1' found"),
        ("'//me:geheim@ghcr.io/a'", "'//ghcr.io/a'"),
        ("'https:/me:geheim@ghcr.io/a'", "'https:/ghcr.io/a'"),
    ] {
        assert_eq!(hide_secrets(text), shown);
    }
    for text in [
        "ghcr.io/a:1@sha256:c79b and mailto:me@example.com",
        "`https://github.com/a/.github/workflows/release.yml@refs/tags/v1` and https://example.com/@me",
        "pkg:golang/example.com/a@v1.0/b",
        "oci:dir/a@b, oci-archive:dir/a.tar@b, C:/a/b@c, //server/a@b and localhost:5000/a@b",
    ] {
        assert_eq!(hide_secrets(text), text);
    }
}
