//! Lists in pages, each of which links to the next one (OCI distribution specification, "Listing Tags";
//! RFC 8288).

use reqwest::header::{HeaderMap, LINK};

use crate::oci::error::{Error, one_line};

use super::request::{Request, address};

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
    /// Returns the entries of this page and of all that follow; `read` reads a page. More than 100,000
    /// entries or 1,000 pages are an error, because a registry could send pages without end.
    pub(crate) async fn read_all<F>(
        mut self,
        what: &str,
        read: impl Fn(Request) -> F,
    ) -> Result<Vec<T>, Error>
    where
        F: Future<Output = Result<Self, Error>>,
    {
        let mut pages = 1;
        while self.entries.len() <= ENTRIES_LIMIT {
            let request = match self.next {
                None => return Ok(self.entries),
                Some(_) if pages == PAGES_LIMIT => break,
                Some(request) => request,
            };
            let page = read(request).await?;
            self.entries.extend(page.entries);
            self.next = page.next;
            pages += 1;
        }
        let reason = "it has more than 100,000 entries or 1,000 pages";
        Err(Error::malformed(what, reason))
    }
}

/// Returns the request for the page that follows the answer to `request` with these headers.
pub(crate) fn next_page(headers: &HeaderMap, request: Request) -> Result<Option<Request>, Error> {
    let links = headers.get_all(LINK).into_iter();
    let mut links = links.filter_map(|link| target(link.to_str().ok()?));
    let Some(target) = links.next() else {
        return Ok(None);
    };
    let malformed = |reason| Error::malformed(request.what.clone(), reason);
    let url = request.url.join(target);
    let url = url.map_err(|_| malformed(format!("`{}` is not a URL", one_line(target))))?;
    // The request carries credentials.
    if url.origin() != request.url.origin() {
        let address = one_line(&address(&url));
        let reason = format!("its next page is at {address}, which is not the registry");
        return Err(malformed(reason));
    }
    if url == request.url {
        return Err(malformed("its next page is the same page".to_owned()));
    }
    Ok(Some(Request { url, ..request }))
}

/// Returns the target of the link with the relation `next` in a `Link` header.
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
#[path = "tests/pages.rs"]
mod tests;
