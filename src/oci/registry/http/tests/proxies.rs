use super::*;

fn from(variables: &[(&str, &str)]) -> Result<Proxies, Error> {
    Proxies::from_environment(|name| {
        let mut variables = variables.iter();
        let found = variables.find(|(known, _)| *known == name);
        found.map(|(_, value)| OsString::from(value))
    })
}

/// Returns the proxy for a URL, and the variable that names it.
fn of(variables: &[(&str, &str)], url: &str) -> Option<(String, String)> {
    let proxies = from(variables).unwrap();
    let named = proxies.of(&Url::parse(url).unwrap())?;
    Some((proxy_name(&named.url), named.by.clone()))
}

#[track_caller]
fn assert_named(variables: &[(&str, &str)], url: &str, expected: &str) {
    let found = of(variables, url);
    let found = found.map(|(proxy, by)| format!("{proxy} {by}"));
    assert_eq!(found.as_deref(), Some(expected), "{variables:?}");
}

#[test]
fn a_variable_in_upper_case_has_priority_over_one_in_lower_case_unless_it_is_empty() {
    let both = [("HTTP_PROXY", "a:1"), ("http_proxy", "b:2")];
    assert_named(&both, "http://r.test", "http://a:1 HTTP_PROXY");
    assert_eq!(of(&both, "https://r.test"), None);
    let empty = [("HTTPS_PROXY", ""), ("https_proxy", "b:2")];
    assert_named(&empty, "https://r.test", "http://b:2 https_proxy");
    let all = [("HTTP_PROXY", "a:1"), ("all_proxy", "socks5://c:3")];
    assert_named(&all, "http://r.test", "http://a:1 HTTP_PROXY");
    assert_named(&all, "https://r.test", "socks5://c:3 all_proxy");
    let except = [
        ("HTTP_PROXY", "a:1"),
        ("NO_PROXY", ""),
        ("no_proxy", "r.test"),
    ];
    assert_eq!(of(&except, "http://r.test"), None);
    assert!(matches!(
        from(&[("NO_PROXY", "x")]).unwrap(),
        Proxies::System
    ));
}

#[test]
fn a_cgi_program_ignores_the_proxy_for_http() {
    let variables = [
        ("REQUEST_METHOD", "GET"),
        ("HTTP_PROXY", "a:1"),
        ("HTTPS_PROXY", "b:2"),
    ];
    assert_eq!(of(&variables, "http://r.test"), None);
    assert_named(&variables, "https://r.test", "http://b:2 HTTPS_PROXY");
}

#[test]
fn the_error_for_a_value_that_is_not_a_proxy_names_the_variable() {
    for name in ["HTTP_PROXY", "https_proxy", "ALL_PROXY"] {
        let error = from(&[(name, "ftp://u:secret@proxy")]).err().unwrap();
        assert!(error.to_string().contains(name), "{error}");
        assert!(!format!("{error:?} {error}").contains("secret"), "{error}");
        assert_eq!(error.kind(), crate::content::ErrorKind::Usage);
    }
    // This variable is not used.
    let unused = [
        ("HTTP_PROXY", "a"),
        ("HTTPS_PROXY", "a"),
        ("ALL_PROXY", "ftp://a"),
    ];
    assert!(from(&unused).is_ok());
}
