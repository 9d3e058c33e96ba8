//! Users and passwords that are written in front of a host, as in a URL. A reference has none, and no message repeats them.

use super::error::ParseReferenceError;

/// What the digests that a reference may have begin with.
const ALGORITHMS: [&str; 2] = ["sha256:", "sha512:"];

/// Returns the error for a reference with a user or a password in front of its host.
pub(super) fn refuse_userinfo(text: &str) -> Result<(), ParseReferenceError> {
    let Some(instead) = without_userinfo(text) else {
        return Ok(());
    };
    let instead = match instead.split_once("://") {
        Some(("http" | "https" | "docker", rest)) => rest.to_owned(),
        _ => instead,
    };
    Err(ParseReferenceError::Userinfo { instead })
}

/// Returns `text` without the user and the password in front of its host. `None`: there are none.
///
/// A password may have slashes and at signs, so it ends at the last at sign that begins no digest. A password with slashes
/// follows a user and a colon; in `ghcr.io/a@b` and `localhost:5000/a@b`, the at sign is in a path. Without a scheme and
/// without a slash, a user has to have a password: in `name@text`, the text is a digest that is wrong. The paths of files
/// may have at signs.
pub(crate) fn without_userinfo(text: &str) -> Option<String> {
    let (scheme, rest) = match text.split_once("://") {
        Some(("file" | "oci-layout" | "oci-archive", _)) => return None,
        Some((scheme, rest)) => (Some(scheme), rest),
        None => (None, text),
    };
    let mut signs = rest.rmatch_indices('@').map(|(at, _)| at);
    let at = signs.find(|at| {
        let after = rest.get(at + 1..).unwrap_or_default();
        !ALGORITHMS.iter().any(|name| after.starts_with(name))
    })?;
    let (userinfo, host) = (rest.get(..at)?, rest.get(at + 1..)?);
    if scheme.is_none() && is_version(host) {
        return None;
    }
    let begins_host = match userinfo.split_once('/') {
        Some((first, _)) => first
            .split_once(':')
            .is_some_and(|(_, after)| !is_port(after)),
        None => scheme.is_some() || host.contains('/') || userinfo.contains(':'),
    };
    begins_host.then(|| match scheme {
        Some(scheme) => format!("{scheme}://{host}"),
        None => host.to_owned(),
    })
}

/// Returns whether `text` begins with a version, as in the name of a WIT package, `example:http@1.0.0`. Three numbers are no
/// host: an IPv4 address has four, and a name of a host does not end with a number.
fn is_version(text: &str) -> bool {
    let end = text.find(|character: char| !character.is_ascii_digit() && character != '.');
    let (numbers, after) = text.split_at(end.unwrap_or(text.len()));
    let numbers: Vec<&str> = numbers.trim_end_matches('.').split('.').collect();
    numbers.len() == 3
        && numbers.iter().all(|number| !number.is_empty())
        && !after
            .starts_with(|character: char| character.is_alphanumeric() || "/:".contains(character))
}

fn is_port(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
#[path = "tests/userinfo.rs"]
mod tests;
