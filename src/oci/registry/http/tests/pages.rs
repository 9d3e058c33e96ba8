use reqwest::header::HeaderValue;
use reqwest::{Method, Url};

use super::super::request::Scope;
use super::*;

fn request() -> Request {
    Request {
        method: Method::GET,
        url: Url::parse("https://ghcr.io/v2/org/x/tags/list").unwrap(),
        registry: "ghcr.io".to_owned(),
        repository: "org/x".to_owned(),
        scope: Scope::PULL,
        what: "tags of ghcr.io/org/x".to_owned(),
        headers: HeaderMap::new(),
    }
}

fn after(link: &'static str) -> Result<Option<String>, Error> {
    let headers = HeaderMap::from_iter([(LINK, HeaderValue::from_static(link))]);
    Ok(next_page(&headers, request())?.map(|request| request.url.to_string()))
}

#[test]
fn the_next_page_is_found_among_other_links() {
    let page = Some("https://ghcr.io/v2/org/x/tags/list?last=b&n=2".to_owned());
    for link in [
        "</v2/org/x/tags/list?last=b&n=2>; rel=\"next\"",
        "<?last=b&n=2>;rel=next",
        "<https://ghcr.io/v2/org/x/tags/list?last=b&n=2>; title=\"x\"; rel=\"next\"",
        "</first>; rel=\"first\", <?last=b&n=2>; rel=\"next\", </z>; rel=\"last\"",
    ] {
        assert_eq!(after(link).unwrap(), page, "{link}");
    }
    for link in [
        "",
        "</v2/>; rel=\"prev\"",
        "<",
        "</v2/>",
        "no link; rel=next",
    ] {
        assert_eq!(after(link).unwrap(), None, "{link}");
    }
}

#[test]
fn a_page_at_another_origin_and_a_repeated_page_are_refused() {
    for link in [
        "<https://evil.example/v2/>; rel=\"next\"",
        "<http://ghcr.io/v2/>; rel=\"next\"",
        "<//ghcr.io:8443/v2/>; rel=\"next\"",
        "</v2/org/x/tags/list>; rel=\"next\"",
    ] {
        assert!(
            matches!(after(link), Err(Error::Malformed { .. })),
            "{link}"
        );
    }
}
