//! Lists in pages, each of which links to the next one (OCI distribution specification, "Listing Tags";
//! RFC 8288).

use std::collections::HashSet;

use reqwest::Url;
use reqwest::header::{HeaderMap, LINK};

use crate::content::{ErrorKind, with_causes};
use crate::oci::error::{Error, one_line};

use super::link::next_target;
use super::request::Request;

/// The most pages of a list that are requested. Registries put 100 to 1,000 entries on a page.
const PAGES_LIMIT: usize = 1000;
/// The most entries of a list that are accepted.
const ENTRIES_LIMIT: usize = 100_000;

/// A page of a list.
pub(crate) struct Page<T> {
    pub(crate) entries: Vec<T>,
    /// The request for the next page.
    pub(crate) next: Option<Request>,
}

impl<T> Page<T> {
    /// Returns the entries of this page and of all pages that follow. `read` reads a page. More than 100,000 entries or
    /// 1,000 pages are an error, because a registry could send pages without end. A repeated page and a missing page
    /// are errors too, because the list would be incomplete.
    pub(crate) async fn read_all<F>(
        mut self,
        what: &str,
        read: impl Fn(Request) -> F,
    ) -> Result<Vec<T>, Error>
    where
        F: Future<Output = Result<Self, Error>>,
    {
        let mut seen = HashSet::new();
        while self.entries.len() <= ENTRIES_LIMIT {
            let request = match self.next {
                None => return Ok(self.entries),
                Some(_) if seen.len() + 1 == PAGES_LIMIT => break,
                Some(request) => request,
            };
            let link = one_line(&shown(&request.url));
            if !seen.insert(request.url.clone()) {
                let reason = format!("its next page, {link}, is the same page again");
                return Err(Error::malformed(what, reason));
            }
            let page = match read(request).await {
                Err(error)
                    if !matches!(error.kind(), ErrorKind::Denied | ErrorKind::Unavailable) =>
                {
                    let causes = with_causes(&error);
                    let reason = format!("its next page, {link}, cannot be read: {causes}");
                    return Err(Error::malformed(what, reason));
                }
                page => page?,
            };
            self.entries.extend(page.entries);
            self.next = page.next;
        }
        let reason = "it has more than 100,000 entries or 1,000 pages";
        Err(Error::malformed(what, reason))
    }
}

/// Returns the request for the page that follows the answer to `request` with these headers.
///
/// Registries behind a proxy do not always know their own address, and some write paths that are relative to the API or
/// to the repository. So the scheme, the host and the port of a link to the same list are ignored, and the next page is
/// requested at the address of `request`, because the request has credentials.
pub(crate) fn next_page(headers: &HeaderMap, request: Request) -> Result<Option<Request>, Error> {
    let is_list = |target: &str| query_of_list(&request.url, target).is_some();
    let links = headers.get_all(LINK).into_iter();
    let mut links = links.filter_map(|link| {
        // Some servers write the link with the escapes of JSON or HTML.
        let link = String::from_utf8_lossy(link.as_bytes());
        let link = link.replace("\\u0026", "&").replace("&amp;", "&");
        next_target(&link, is_list)
    });
    let Some(target) = links.next() else {
        return Ok(None);
    };
    let link = one_line(&target);
    let refused = |reason| Err(Error::malformed(request.what.clone(), reason));
    let mut url = request.url.clone();
    match query_of_list(&request.url, &target) {
        Some(query) => url.set_query(Some(&query)),
        None => match request.url.join(&target) {
            Ok(joined) => url = joined,
            Err(_) => return refused(format!("the link to its next page, `{link}`, is not a URL")),
        },
    }
    url.set_fragment(None);
    if is_other_list(&request.url, &url) {
        return refused(format!(
            "the link to its next page, `{link}`, leads to another list"
        ));
    }
    if url.origin() != request.url.origin() {
        return refused(format!(
            "its next page is at {link}, which is not the registry"
        ));
    }
    if url == request.url {
        return refused(format!(
            "the link to its next page, `{link}`, leads to the same page"
        ));
    }
    Ok(Some(Request { url, ..request }))
}

/// Returns the query of `target` if it is a link with a query to the list at `asked`. One of the paths may be the end
/// of the other, because a proxy may add a prefix and a link may be relative.
fn query_of_list(asked: &Url, target: &str) -> Option<String> {
    let (place, query) = target.split_once('?')?;
    let query = query.split('#').next().filter(|query| !query.is_empty())?;
    let path = match place.split_once("//") {
        Some((_, rest)) => rest.split_once('/').map_or("", |(_, path)| path),
        None => place,
    };
    let plain = |path: &str| {
        path.trim_matches('/')
            .replace("%2F", "/")
            .replace("%2f", "/")
    };
    let (asked_path, path) = (plain(asked.path()), plain(path));
    let is_end = |long: &str, short: &str| {
        let rest = long.strip_suffix(short);
        rest.is_some_and(|rest| rest.is_empty() || short.is_empty() || rest.ends_with('/'))
    };
    if !is_end(&asked_path, &path) && !is_end(&path, &asked_path) {
        return None;
    }
    // This parameter tells a mirror which registry is meant.
    let mut namespace = asked.query_pairs().filter(|(name, _)| name == "ns");
    let has_namespace = query.split('&').any(|pair| pair.starts_with("ns="));
    Some(match namespace.next().filter(|_| !has_namespace) {
        Some((_, registry)) => format!("{query}&ns={registry}"),
        None => query.to_owned(),
    })
}

/// Returns whether `url` is another list than the one at `asked`: the list of repositories, or the tags of a repository
/// whose last part differs. The first parts of the path may differ behind a proxy.
fn is_other_list(asked: &Url, url: &Url) -> bool {
    let parts = |url: &Url| -> Vec<String> {
        let parts = url.path().split('/').filter(|part| !part.is_empty());
        parts.rev().take(3).map(str::to_owned).collect()
    };
    match parts(url).as_slice() {
        [list, ..] if list == "_catalog" => {
            asked.path().trim_end_matches('/').rsplit('/').next() != Some("_catalog")
        }
        [list, tags, _] if list == "list" && tags == "tags" => parts(asked) != parts(url),
        _ => false,
    }
}

/// Returns the path and the query of a URL.
fn shown(url: &Url) -> String {
    let query = url.query().map(|query| format!("?{query}"));
    format!("{}{}", url.path(), query.unwrap_or_default())
}

#[cfg(test)]
#[path = "tests/pages.rs"]
mod tests;
