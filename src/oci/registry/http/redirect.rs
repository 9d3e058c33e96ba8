//! Following redirects.

use reqwest::header::LOCATION;
use reqwest::{Response, StatusCode, Url};

use crate::oci::error::{Error, one_line};

use super::request::{Request, address};

/// The most redirects in a row that are followed.
const LIMIT: usize = 10;

/// The redirects of one request so far.
#[derive(Default)]
pub(crate) struct Redirects(usize);

impl Redirects {
    /// Returns the next URL for `request` if `response` is a redirect. The redirect is refused when it leads from HTTPS
    /// to plain HTTP, when it is the eleventh, and when it would change the request: after 301, 302 and 303, clients
    /// turn every method into GET.
    pub(crate) fn next(
        &mut self,
        response: &Response,
        request: &Request,
    ) -> Result<Option<Url>, Error> {
        let status = response.status();
        let keeps_method = match status.as_u16() {
            301..=303 => request.is_read(),
            307 | 308 => true,
            _ => return Ok(None),
        };
        let Some(location) = response.headers().get(LOCATION) else {
            return Ok(None);
        };
        self.0 += 1;
        // `to_str` would fail, because some servers do not encode letters of other alphabets.
        let location = String::from_utf8_lossy(location.as_bytes());
        if location.trim().is_empty() {
            return Err(refused(
                response,
                request,
                "its Location is empty".to_owned(),
            ));
        }
        let url = match response.url().join(location.trim()) {
            Ok(url) => url,
            Err(_) => {
                let reason = format!("`{}` is not a URL", one_line(&location));
                return Err(refused(response, request, reason));
            }
        };
        match self.check(status, response.url(), &url, keeps_method) {
            Ok(()) => Ok(Some(url)),
            Err(reason) => {
                // A URL with another scheme has no host to show.
                let place = if url.has_host() && url.origin().is_tuple() {
                    one_line(&address(&url))
                } else {
                    one_line(&location)
                };
                Err(refused(response, request, format!("{reason}: {place}")))
            }
        }
    }

    fn check(
        &self,
        status: StatusCode,
        from: &Url,
        to: &Url,
        keeps_method: bool,
    ) -> Result<(), String> {
        if !matches!(to.scheme(), "http" | "https") {
            return Err("it leads to neither https nor http".to_owned());
        }
        if from.scheme() == "https" && to.scheme() == "http" {
            return Err("it leads from https to plain http".to_owned());
        }
        if !keeps_method {
            let status = status.as_u16();
            return Err(format!(
                "HTTP {status} would turn the request into another one"
            ));
        }
        if self.0 > LIMIT {
            return Err("it is the eleventh in a row".to_owned());
        }
        Ok(())
    }
}

fn refused(response: &Response, request: &Request, reason: String) -> Error {
    Error::Redirect {
        what: request.what.clone(),
        address: address(response.url()),
        source: reason.into(),
    }
}
