use reqwest::header::HeaderValue;
use reqwest::{Method, Url};

use super::*;

fn request(repository: &str, scope: Scope) -> Request {
    Request {
        method: Method::GET,
        url: Url::parse("https://ghcr.io/v2/").unwrap(),
        registry: "ghcr.io".to_owned(),
        repository: repository.to_owned(),
        scope,
        what: String::new(),
        headers: HeaderMap::new(),
    }
}

fn bearer(scope: Option<&str>) -> Bearer {
    Bearer {
        realm: String::new(),
        service: None,
        scope: scope.map(str::to_owned),
    }
}

fn choose(values: &[&'static str]) -> Result<Option<Challenge>, Error> {
    let mut headers = HeaderMap::new();
    for value in values {
        headers.append(WWW_AUTHENTICATE, HeaderValue::from_static(value));
    }
    Challenge::choose(&headers, &request("org/x", Scope::PULL))
}

#[test]
fn a_token_is_preferred_to_a_password_and_an_unknown_challenge_is_an_error() {
    let bearer = r#"Bearer realm="https://ghcr.io/token",service="ghcr.io""#;
    for values in [
        vec!["Basic realm=\"x\"", bearer],
        vec![bearer, "Basic realm=\"x\""],
    ] {
        let Ok(Some(Challenge::Bearer(chosen))) = choose(&values) else {
            panic!("{values:?}")
        };
        assert_eq!(chosen.realm, "https://ghcr.io/token");
    }
    let basic = choose(&["Negotiate", "Basic realm=\"x\""]);
    assert!(matches!(basic, Ok(Some(Challenge::Basic))));
    assert!(matches!(
        choose(&["Negotiate"]),
        Err(Error::Challenge { .. })
    ));
    assert!(matches!(choose(&[]), Ok(None)));
}

#[test]
fn scopes_cover_later_requests_and_the_repository_to_mount_from() {
    let scopes = |theirs: Option<&str>, repository, scope| {
        bearer(theirs).scopes(&request(repository, scope)).join(" ")
    };
    let ours = "repository:org/x:pull,push";
    assert_eq!(scopes(None, "org/x", Scope::PUSH), ours);
    let theirs = Some("repository:org/x:pull");
    assert_eq!(scopes(theirs, "org/x", Scope::PUSH), ours);
    let theirs = Some("repository:org/x:pull,push repository:org/y:pull");
    assert_eq!(
        scopes(theirs, "org/x", Scope::PUSH),
        format!("{ours} repository:org/y:pull")
    );
    let theirs = Some("repository:mirror/org/x:pull");
    assert_eq!(
        scopes(theirs, "org/x", Scope::PULL),
        "repository:mirror/org/x:pull"
    );
    assert_eq!(scopes(None, "", Scope::NONE), "");
}

#[test]
fn scopes_have_the_actions_of_the_registry_and_for_deletion_only_these() {
    for (theirs, scope, expected) in [
        ("metadata_read", Scope::PULL, "pull,metadata_read"),
        ("pull", Scope::PUSH, "pull,push"),
        ("pull,push,*", Scope::PULL, "pull,push,*"),
        ("", Scope::PULL, "pull"),
        ("*", Scope::DELETE, "*"),
        ("delete", Scope::DELETE, "delete"),
        ("", Scope::DELETE, "delete"),
    ] {
        let asked = bearer(Some(&format!("repository:org/x:{theirs}")));
        let scopes = asked.scopes(&request("org/x", scope));
        assert_eq!(scopes, [format!("repository:org/x:{expected}")]);
    }
    let scopes = bearer(None).scopes(&request("org/x", Scope::DELETE));
    assert_eq!(scopes, ["repository:org/x:delete"]);
}

#[test]
fn a_token_covers_the_scopes_of_its_request() {
    let request = request("org/x", Scope::PULL);
    let plain = bearer(None);
    let pull = bearer(Some("repository:org/x:pull"));
    let tags = bearer(Some("repository:org/x:metadata_read"));
    let mount = bearer(Some("repository:org/x:pull repository:org/y:pull"));
    for (one, other, expected) in [
        (&plain, &pull, true),
        (&pull, &tags, false),
        (&tags, &pull, true),
        (&pull, &mount, false),
        (&mount, &pull, true),
        (&mount, &tags, false),
    ] {
        assert_eq!(one.covers(other, &request), expected);
    }
    let more = [&plain, &pull, &tags, &mount].map(|bearer| bearer.asks_for_more(&request));
    assert_eq!(more, [false, false, true, true]);
}
