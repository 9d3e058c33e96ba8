use fastrand::Rng;

use super::*;

/// Returns the challenges on one line: `Basic{realm=x}`.
fn shown(text: &str) -> String {
    let challenges = scan(text).into_iter().map(|challenge| {
        let parameters = challenge.parameters.iter();
        let parameters: Vec<String> = parameters
            .map(|(key, value)| format!("{key}={value}"))
            .collect();
        format!("{}{{{}}}", challenge.scheme, parameters.join("|"))
    });
    challenges.collect::<Vec<_>>().join(" ")
}

#[test]
fn challenges_are_found_in_all_forms() {
    for (text, expected) in [
        ("Basic realm=\"x\"", "Basic{realm=x}"),
        ("Basic realm=/", "Basic{realm=/}"),
        ("Basic", "Basic{}"),
        ("", ""),
        (",, ,", ""),
        ("realm=\"x\"", ""),
        (
            "Basic realm=\"a \\\"b\\\" \\\\\"",
            "Basic{realm=a \"b\" \\}",
        ),
        ("BASIC  REALM = \"x\" ,", "BASIC{REALM=x}"),
        (
            "Bearer realm='https://a/t',service='s'",
            "Bearer{realm=https://a/t|service=s}",
        ),
        (
            "Bearer realm=https://a/t?b=c,service=s",
            "Bearer{realm=https://a/t?b=c|service=s}",
        ),
        (
            "Bearer realm=\"https://a/t\" service=\"s\"",
            "Bearer{realm=https://a/t|service=s}",
        ),
        (
            "Bearer realm=\"https://a/t\"service=\"s\"",
            "Bearer{realm=https://a/t|service=s}",
        ),
        (
            "Bearer realm=\"https://a/t,service=s",
            "Bearer{realm=https://a/t|service=s}",
        ),
        (
            "Bearer, realm=\"https://a/t\",,service=\"s\",",
            "Bearer{realm=https://a/t|service=s}",
        ),
        (
            "Bearer: realm=\"https://a/t\"; service=\"s\"",
            "Bearer{realm=https://a/t|service=s}",
        ),
        (
            "Bearer realm=, service= scope=\"\"",
            "Bearer{realm=|service=|scope=}",
        ),
        (
            "Bearer realm=https://a/t,scope=repository:o/x:pull,push,service=s",
            "Bearer{realm=https://a/t|scope=repository:o/x:pull,push|service=s}",
        ),
        (
            "Bearer scope=repository:o/x:pull,push Basic realm=x",
            "Bearer{scope=repository:o/x:pull,push} Basic{realm=x}",
        ),
        (
            "Bearer scope=repository:o/x:pull,basic",
            "Bearer{scope=repository:o/x:pull} basic{}",
        ),
        ("Negotiate, Basic realm=\"x\"", "Negotiate{} Basic{realm=x}"),
        (
            "Negotiate YII+/w==, Basic realm=\"x\"",
            "Negotiate{YII+/w==} Basic{realm=x}",
        ),
        (
            "NTLM TlRM=, Bearer realm=\"y\"",
            "NTLM{TlRM=} Bearer{realm=y}",
        ),
        (
            "Digest realm=x qop=\"auth, auth-int\" nonce==, Basic realm=\"r\"",
            "Digest{realm=x|qop=auth, auth-int|nonce==} Basic{realm=r}",
        ),
        (
            "Básic realm=\"ü\", Basic realm=\"é\"",
            "Básic{realm=ü} Basic{realm=é}",
        ),
    ] {
        assert_eq!(shown(text), expected, "{text}");
    }
}

#[test]
fn the_first_value_of_a_repeated_parameter_that_is_not_empty_counts() {
    let found = scan("Bearer realm=\"\",realm=\"a\",realm=\"b\"");
    let realms: Vec<_> = found
        .iter()
        .map(|challenge| challenge.parameter("Realm"))
        .collect();
    assert_eq!(realms, [Some("a".to_owned())]);
}

#[test]
fn any_text_is_read() {
    let characters = ['B', 'z', ',', ';', '=', '"', '\'', ' ', '\\', '/', ':', 'é'];
    for seed in 0..256 {
        let mut random = Rng::with_seed(seed);
        let length = random.usize(..=60);
        let any = std::iter::repeat_with(|| random.choice(characters)).flatten();
        let text: String = any.take(length).collect();
        scan(&text);
        let unquoted = text.replace(['"', '\'', '='], "");
        let found = scan(&format!("{unquoted},Basic realm=\"r\""));
        let last = found.last();
        assert!(
            last.is_some_and(|challenge| challenge.is("basic")),
            "{text}"
        );
    }
}
