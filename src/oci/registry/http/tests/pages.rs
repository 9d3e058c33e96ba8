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
    for link in ["", "</v2/>; rel=\"prev\"", "<", "</v2/>", "no link"] {
        assert_eq!(after(link).unwrap(), None, "{link}");
    }
}

#[test]
fn a_link_to_the_list_is_followed_at_the_address_of_the_request() {
    let page = Some("https://ghcr.io/v2/org/x/tags/list?last=b".to_owned());
    for link in [
        "<http://ghcr.io/v2/org/x/tags/list?last=b>; rel=next",
        "<https://GHCR.io:443/v2/org/x/tags/list?last=b>; rel=next",
        "<https://ghcr.io:5000/v2/org/x/tags/list/?last=b>; rel=next",
        "<//registry:5000/v2/org/x/tags/list?last=b#top>; rel=next",
        "<v2/org/x/tags/list?last=b>; rel=next",
        "<org/x/tags/list?last=b>; rel=next",
        "<tags/list?last=b>; rel=next",
        "<list?last=b>; rel=next",
        "</v2/org%2Fx/tags/list?last=b>; rel=next",
        "</prefix/v2/org/x/tags/list?last=b>; rel=next",
        "</v2/org/x/tags/list?last=b>",
        "/v2/org/x/tags/list?last=b; rel=next",
    ] {
        assert_eq!(after(link).unwrap(), page, "{link}");
    }
    let other = after("</v2/_pages?token=b>; rel=next").unwrap();
    assert_eq!(other.unwrap(), "https://ghcr.io/v2/_pages?token=b");
}

#[test]
fn the_next_page_of_a_mirror_is_for_the_same_registry() {
    let mut request = request();
    request.url.set_query(Some("ns=docker.io"));
    let link = HeaderValue::from_static("</v2/org/x/tags/list?last=b>; rel=next");
    let next = next_page(&HeaderMap::from_iter([(LINK, link)]), request).unwrap();
    let query = next.unwrap().url.query().unwrap().to_owned();
    assert_eq!(query, "last=b&ns=docker.io");
}

#[test]
fn a_page_at_another_origin_and_a_repeated_page_are_refused() {
    for link in [
        "<https://evil.example/v2/>; rel=\"next\"",
        "<http://ghcr.io/v2/>; rel=\"next\"",
        "<//ghcr.io:8443/v2/>; rel=\"next\"",
        "<https://evil.example/v2/org/x/tags/list>; rel=\"next\"",
        "</v2/org/x/tags/list>; rel=\"next\"",
        "<>; rel=\"next\"",
        "<https://[>; rel=\"next\"",
    ] {
        match after(link) {
            Err(Error::Malformed { reason, .. }) => {
                let target = link.trim_start_matches('<').split('>').next().unwrap();
                assert!(reason.contains(target), "{link}: {reason}");
            }
            other => panic!("{link}: {other:?}"),
        }
    }
}
