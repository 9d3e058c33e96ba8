//! `NO_PROXY`: the hosts that are reached without a proxy, by the rules of Go's `httpproxy`.

use std::net::IpAddr;

use reqwest::Url;

/// The hosts that are reached without a proxy.
#[derive(Debug, Clone, Default)]
pub(super) struct NoProxy {
    all: bool,
    entries: Vec<Entry>,
}

#[derive(Debug, Clone)]
struct Entry {
    hosts: Hosts,
    /// The port, or `None` for any port.
    port: Option<u16>,
}

#[derive(Debug, Clone)]
enum Hosts {
    Address(IpAddr),
    /// The addresses whose first bits are those of the address. The number is the count of bits.
    Network(IpAddr, u32),
    /// A domain and all hosts below it.
    Domain(String),
    /// All hosts below a domain, without the domain itself.
    Below(String),
}

impl NoProxy {
    /// Reads a list of hosts with commas or spaces between them. Leaves out malformed entries.
    pub(super) fn parse(list: &str) -> Self {
        let list = list.to_lowercase();
        let mut read = Self::default();
        for entry in list.split(|between: char| between == ',' || between.is_whitespace()) {
            if entry == "*" {
                read.all = true;
            }
            read.entries.extend(Entry::parse(entry));
        }
        read
    }

    /// Returns whether the host of `url` is reached without a proxy. This is always so for this machine.
    pub(super) fn covers(&self, url: &Url) -> bool {
        let port = url.port_or_known_default();
        let name = url.host_str().unwrap_or_default().to_lowercase();
        let name = unbracketed(&name);
        let address = name.parse::<IpAddr>().ok().map(|ip| ip.to_canonical());
        let is_local = name == "localhost" || address.is_some_and(|ip| ip.is_loopback());
        let mut entries = self.entries.iter();
        self.all
            || is_local
            || entries.any(|entry| {
                entry.hosts.cover(name, address) && entry.port.is_none_or(|own| Some(own) == port)
            })
    }
}

impl Entry {
    fn parse(text: &str) -> Option<Self> {
        if let Some((address, bits)) = text.split_once('/') {
            let address: IpAddr = unbracketed(address).parse().ok()?;
            let bits = bits.parse().ok()?;
            let most = if address.is_ipv4() { 32 } else { 128 };
            let hosts = Hosts::Network(address, bits);
            return (bits <= most).then_some(Self { hosts, port: None });
        }
        // An IPv6 address itself has colons.
        let (host, port) = match text.rsplit_once(':') {
            Some((host, port)) if !unbracketed(host).contains(':') || host.ends_with(']') => {
                (host, Some(port.parse().ok()?))
            }
            _ => (text, None),
        };
        let host = unbracketed(host);
        let hosts = match host.parse::<IpAddr>() {
            Ok(address) => Hosts::Address(address.to_canonical()),
            Err(_) => {
                let domain = host.strip_prefix("*.").or(host.strip_prefix('.'));
                match domain {
                    Some("") => return None,
                    Some(domain) => Hosts::Below(ascii(domain)),
                    None if host.is_empty() => return None,
                    None => Hosts::Domain(ascii(host)),
                }
            }
        };
        Some(Self { hosts, port })
    }
}

impl Hosts {
    fn cover(&self, name: &str, address: Option<IpAddr>) -> bool {
        let below = |domain: &str| {
            let rest = name.strip_suffix(domain);
            rest.is_some_and(|rest| rest.ends_with('.'))
        };
        match self {
            Self::Address(own) => address == Some(*own),
            Self::Network(own, bits) => {
                address.is_some_and(|address| first_bits(address, *bits) == first_bits(*own, *bits))
            }
            Self::Domain(domain) => name == domain || below(domain),
            Self::Below(domain) => below(domain),
        }
    }
}

/// Returns whether an address is IPv4, and its first bits.
fn first_bits(address: IpAddr, bits: u32) -> (bool, u128) {
    let (value, length) = match address {
        IpAddr::V4(address) => (u128::from(address.to_bits()), 32),
        IpAddr::V6(address) => (address.to_bits(), 128),
    };
    let rest = length - bits.min(length);
    (address.is_ipv4(), value.checked_shr(rest).unwrap_or(0))
}

fn unbracketed(host: &str) -> &str {
    let inner = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    inner.unwrap_or(host)
}

/// Returns a domain in the form that it has in URLs, where letters beyond ASCII are encoded.
fn ascii(domain: &str) -> String {
    let url = Url::parse(&format!("http://{domain}"));
    let encoded = url.ok().and_then(|url| url.host_str().map(str::to_owned));
    encoded.unwrap_or_else(|| domain.to_owned())
}

#[cfg(test)]
#[path = "tests/no_proxy.rs"]
mod tests;
