use data_encoding::BASE64URL_NOPAD;

use super::*;

fn ambient(variables: &[(&str, &str)]) -> Result<TokenSource, SigningError> {
    TokenSource::ambient(|name| {
        let mut known = variables.iter();
        let found = known.find(|(known, _)| *known == name);
        found.map(|(_, value)| (*value).to_owned())
    })
}

fn token() -> String {
    let claims = BASE64URL_NOPAD.encode(br#"{"sub":"a","exp":1700000000}"#);
    format!("a.{claims}.c")
}

const GITHUB: [(&str, &str); 3] = [
    ("GITHUB_ACTIONS", "true"),
    ("ACTIONS_ID_TOKEN_REQUEST_URL", "https://token.example/?a=b"),
    ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "hidden"),
];

#[test]
fn the_variable_of_the_token_goes_before_the_service_of_github() {
    let token = token();
    let both = [&GITHUB[..], &[("SIGSTORE_ID_TOKEN", &token)]].concat();
    assert!(matches!(ambient(&both), Ok(TokenSource::Token(_))));
    let empty = [&GITHUB[..], &[("SIGSTORE_ID_TOKEN", " ")]].concat();
    assert!(matches!(ambient(&empty), Ok(TokenSource::GitHub(_))));
}

#[test]
fn a_job_without_a_token_is_told_what_it_lacks() {
    let [github, url, secret] = GITHUB;
    for part in [&[github][..], &[github, url], &[github, secret]] {
        assert!(matches!(ambient(part), Err(SigningError::NoGitHubToken)));
    }
    let gitlab = ambient(&[("GITLAB_CI", "true")]);
    assert!(matches!(gitlab, Err(SigningError::NoGitLabToken)));
    assert!(matches!(ambient(&[]), Err(SigningError::NoToken)));
    let wrong = ambient(&[("SIGSTORE_ID_TOKEN", "hidden")]).unwrap_err();
    assert!(
        !format!("{wrong} {wrong:?}").contains("hidden"),
        "{wrong:?}"
    );
}

#[test]
fn no_secret_is_shown() {
    let source = ambient(&GITHUB).unwrap();
    assert!(!format!("{source:?}").contains("hidden"), "{source:?}");
}

#[cfg(feature = "sigstore")]
#[test]
fn a_token_of_github_is_asked_for_with_the_audience_of_sigstore() {
    let url = |url: &str| {
        let (url, secret) = (url.to_owned(), String::new());
        GitHubTokens { url, secret }.request_url()
    };
    let expected = "https://token.example/?a=b&audience=sigstore";
    assert_eq!(url("https://token.example/?a=b"), expected);
    assert_eq!(
        url("https://a.example/"),
        "https://a.example/?audience=sigstore"
    );
}
