//! Unknown keys in a `hosts.toml`. Most of them are typing errors.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The settings of a host: the settings of containerd, and `proxy`.
const OF_A_HOST: [&str; 8] = [
    CAPABILITIES,
    "ca",
    "client",
    "skip_verify",
    "header",
    "override_path",
    "dial_timeout",
    "proxy",
];
const CAPABILITIES: &str = "capabilities";
const OF_THE_FILE: [&str; 2] = ["server", HOSTS];
const HOSTS: &str = "host";

/// An unknown key.
pub(super) struct UnknownKey {
    pub(super) span: Range<usize>,
    pub(super) message: String,
}

/// Returns the unknown keys of a file, in the order of the file.
pub(super) fn unknown_keys(text: &str) -> Vec<UnknownKey> {
    // A file that is not TOML is reported elsewhere.
    let Ok(file) = DeTable::parse(text) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    let file = file.get_ref();
    collect(file, &[&OF_A_HOST, &OF_THE_FILE], false, &mut found);
    let hosts = file.get(HOSTS).and_then(table);
    for host in hosts.into_iter().flat_map(|hosts| hosts.values()) {
        if let Some(host) = table(host) {
            collect(host, &[&OF_A_HOST], true, &mut found);
        }
    }
    found.sort_by_key(|key| key.span.start);
    found
}

fn collect(
    settings: &DeTable<'_>,
    known: &[&[&str]],
    is_mirror: bool,
    found: &mut Vec<UnknownKey>,
) {
    for key in settings.keys() {
        let name = key.get_ref().as_ref();
        if known.iter().any(|known| known.contains(&name)) {
            continue;
        }
        let mut message = format!("the key `{name}` is not known, and is ignored");
        if is_mirror && !settings.contains_key(CAPABILITIES) {
            message
                .push_str("; without `capabilities` this host has all capabilities, also `push`");
        }
        let span = key.span();
        found.push(UnknownKey { span, message });
    }
}

fn table<'a>(value: &'a Spanned<DeValue<'a>>) -> Option<&'a DeTable<'a>> {
    match value.get_ref() {
        DeValue::Table(table) => Some(table),
        _ => None,
    }
}
