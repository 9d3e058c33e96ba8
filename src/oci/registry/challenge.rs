//! What a registry says in `WWW-Authenticate`: how it wants to be told who is asking.

use http_auth::ChallengeRef;
use reqwest::header::{HeaderMap, WWW_AUTHENTICATE};

use super::super::error::{Error, one_line};
use super::transport::Call;

pub(super) enum Challenge {
    Basic,
    Bearer(Bearer),
}

/// Where to get a token, and for what.
#[derive(Clone)]
pub(super) struct Bearer {
    pub(super) realm: String,
    pub(super) service: Option<String>,
    scope: Option<String>,
}

impl Challenge {
    /// The best of the challenges, `None` when there are none at all.
    pub(super) fn choose(headers: &HeaderMap, call: &Call) -> Result<Option<Self>, Error> {
        let mut basic = false;
        let mut unknown = None;
        for value in headers.get_all(WWW_AUTHENTICATE) {
            let text = value.to_str().unwrap_or_default();
            for challenge in http_auth::parse_challenges(text).unwrap_or_default() {
                if challenge.scheme.eq_ignore_ascii_case("bearer")
                    && let Some(realm) = parameter(&challenge, "realm")
                {
                    let service = parameter(&challenge, "service");
                    let scope = parameter(&challenge, "scope");
                    return Ok(Some(Self::Bearer(Bearer {
                        realm,
                        service,
                        scope,
                    })));
                }
                basic |= challenge.scheme.eq_ignore_ascii_case("basic");
            }
            unknown = Some(one_line(text));
        }
        match unknown {
            _ if basic => Ok(Some(Self::Basic)),
            Some(challenge) => Err(Error::Challenge {
                registry: call.registry.clone(),
                challenge,
            }),
            None => Ok(None),
        }
    }
}

impl Bearer {
    /// The scopes to ask for: ours, which covers the requests to come, and what else the registry asks
    /// for, such as the repository that a blob is mounted from. Its scopes alone when it has another name
    /// for the repository.
    pub(super) fn scopes(&self, call: &Call) -> Vec<String> {
        let theirs = self.scope.as_deref().unwrap_or_default().split_whitespace();
        let mut theirs: Vec<&str> = theirs.collect();
        if call.repository.is_empty() {
            return theirs.into_iter().map(str::to_owned).collect();
        }
        let repository = format!("repository:{}:", call.repository);
        let count = theirs.len();
        theirs.retain(|scope| !scope.starts_with(&repository));
        let ours = format!("{repository}{}", call.scope.0);
        let ours = (count == 0 || theirs.len() < count).then_some(ours);
        let theirs = theirs.into_iter().map(str::to_owned);
        ours.into_iter().chain(theirs).collect()
    }

    /// Whether the registry asks for permission elsewhere, too.
    pub(super) fn asks_for_more(&self, call: &Call) -> bool {
        self.scopes(call).len() > 1
    }
}

fn parameter(challenge: &ChallengeRef<'_>, name: &str) -> Option<String> {
    let mut parameters = challenge.params.iter();
    let found = parameters.find(|(key, _)| key.eq_ignore_ascii_case(name));
    found.map(|(_, value)| value.to_unescaped())
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;
    use reqwest::{Method, Url};

    use super::super::transport::Scope;
    use super::*;

    fn call(repository: &str, scope: Scope) -> Call {
        Call {
            method: Method::GET,
            url: Url::parse("https://ghcr.io/v2/").unwrap(),
            registry: "ghcr.io".to_owned(),
            repository: repository.to_owned(),
            scope,
            what: String::new(),
            headers: HeaderMap::new(),
        }
    }

    fn choose(values: &[&'static str]) -> Result<Option<Challenge>, Error> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(WWW_AUTHENTICATE, HeaderValue::from_static(value));
        }
        Challenge::choose(&headers, &call("org/x", Scope::PULL))
    }

    #[test]
    fn a_token_goes_before_a_password_and_what_is_unknown_is_an_error() {
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
    fn a_scope_covers_the_requests_to_come_and_the_repository_to_mount_from() {
        let scopes = |theirs: Option<&str>, repository, scope| {
            let bearer = Bearer {
                realm: String::new(),
                service: None,
                scope: theirs.map(str::to_owned),
            };
            bearer.scopes(&call(repository, scope)).join(" ")
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
}
