//! The URLs of proxies.

use reqwest::Url;

use super::names::authority;

/// The schemes of the proxies that can be used.
const SCHEMES: [&str; 6] = ["http", "https", "socks4", "socks4a", "socks5", "socks5h"];

/// Returns the URL of a proxy. Without a scheme, it is an HTTP proxy, as in Go. The error says what is wrong. It does
/// not contain the text, which may have a password.
pub(super) fn proxy_url(text: &str) -> Result<Url, &'static str> {
    let text = text.trim();
    let scheme = text.split_once("://");
    let url = match scheme {
        // Desktop environments write this for SOCKS 5.
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("socks") => {
            Url::parse(&format!("socks5h://{rest}"))
        }
        Some(_) => Url::parse(text),
        None => Url::parse(&format!("http://{text}")),
    };
    let url = url.map_err(|_| "it is not a URL such as http://proxy:3128")?;
    if !SCHEMES.contains(&url.scheme()) {
        return Err("its scheme is not http, https, socks4, socks4a, socks5 or socks5h");
    }
    if url.host_str().is_none_or(str::is_empty) {
        return Err("it has no host, such as in http://proxy:3128");
    }
    if scheme.is_none() && url.path() != "/" {
        return Err("it is neither a URL nor a host with a port");
    }
    Ok(url)
}

/// Returns the URL of a proxy for messages, without user and password.
pub(super) fn proxy_name(url: &Url) -> String {
    format!("{}://{}", url.scheme(), authority(url))
}

#[cfg(test)]
#[path = "tests/proxy_url.rs"]
mod tests;
