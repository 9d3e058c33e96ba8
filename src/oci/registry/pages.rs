//! Lists that come in pages, each of which names the next (OCI distribution specification, "Listing
//! Tags"; RFC 8288).

use reqwest::header::{HeaderMap, LINK};

use super::super::error::{Error, one_line};
use super::transport::{Call, address};

/// How many pages of a list are asked for. Registries give some 100 to 1,000 entries on each.
pub(super) const PAGES_LIMIT: usize = 1000;
/// How many entries of a list are read.
pub(super) const ENTRIES_LIMIT: usize = 100_000;

/// The request for the page after the one that `call` gave, when there is one.
pub(super) fn next(headers: &HeaderMap, call: Call) -> Result<Option<Call>, Error> {
    let links = headers.get_all(LINK).into_iter();
    let mut links = links.filter_map(|link| target(link.to_str().ok()?));
    let Some(target) = links.next() else {
        return Ok(None);
    };
    let malformed = |reason: String| Error::Malformed {
        what: call.what.clone(),
        reason,
    };
    let url = call.url.join(target);
    let url = url.map_err(|_| malformed(format!("`{}` is not a URL", one_line(target))))?;
    // Credentials go there.
    if url.origin() != call.url.origin() {
        let place = one_line(&address(&url));
        return Err(malformed(format!(
            "its next page is at {place}, which is not where the registry is"
        )));
    }
    if url == call.url {
        return Err(malformed("its next page is the same again".to_owned()));
    }
    Ok(Some(Call { url, ..call }))
}

/// More than that is not read: a registry may have no end of it.
pub(super) fn too_many(call: &Call) -> Error {
    Error::Malformed {
        what: call.what.clone(),
        reason: "it has more than 100,000 entries or 1,000 pages".to_owned(),
    }
}

/// The target with the relation `next` among the links of a header.
fn target(mut text: &str) -> Option<&str> {
    loop {
        let (_, rest) = text.split_once('<')?;
        let (target, rest) = rest.split_once('>')?;
        let (parameters, others) = rest.split_once('<').unwrap_or((rest, ""));
        let is_next = parameters.split([';', ',']).any(|parameter| {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            let mut relations = value.trim().trim_matches('"').split_whitespace();
            name.trim().eq_ignore_ascii_case("rel")
                && relations.any(|relation| relation.eq_ignore_ascii_case("next"))
        });
        if is_next {
            return Some(target);
        }
        text = rest.get(rest.len().checked_sub(others.len() + 1)?..)?;
    }
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;
    use reqwest::{Method, Url};

    use super::super::transport::Scope;
    use super::*;

    fn call() -> Call {
        Call {
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
        Ok(next(&headers, call())?.map(|call| call.url.to_string()))
    }

    #[test]
    fn the_next_page_is_found_among_links() {
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
    fn a_page_elsewhere_and_the_same_page_again_are_refused() {
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
}
