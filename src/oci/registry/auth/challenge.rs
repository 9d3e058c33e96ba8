//! Challenges (`WWW-Authenticate`): the kind of credentials for which a registry asks.

use reqwest::Url;
use reqwest::header::{HeaderMap, WWW_AUTHENTICATE};

use crate::oci::error::{Error, one_line};

use super::super::http::{Request, Scope};
use super::scan::scan;

pub(crate) enum Challenge {
    /// A user and a password.
    Basic,
    /// A token of a token service.
    Bearer(Bearer),
}

/// The token service to ask for a token, and the permissions of the token.
#[derive(Clone)]
pub(crate) struct Bearer {
    /// The URL of the token service, not verified.
    pub(crate) realm: String,
    pub(crate) service: Option<String>,
    /// The scopes in the challenge, separated by spaces.
    scope: Option<String>,
}

impl Challenge {
    /// Returns the best challenge of an answer to `request`. A token is better than a password. Returns `None` when
    /// there is no challenge, and fails with [`Error::Challenge`] when no challenge is of a known kind.
    pub(crate) fn choose(headers: &HeaderMap, request: &Request) -> Result<Option<Self>, Error> {
        let values = headers.get_all(WWW_AUTHENTICATE).into_iter();
        // `to_str` would fail, because a realm may have letters of other alphabets.
        let texts: Vec<_> = values
            .map(|value| String::from_utf8_lossy(value.as_bytes()))
            .filter(|text| !text.trim().is_empty())
            .collect();
        let (mut basic, mut unusual) = (false, None);
        for challenge in texts.iter().flat_map(|text| scan(text)) {
            if challenge.is("bearer")
                && let Some(realm) = challenge.parameter("realm")
            {
                let scopes: Vec<&str> = challenge.values("scope").collect();
                let bearer = Bearer {
                    service: challenge.parameter("service"),
                    scope: (!scopes.is_empty()).then(|| scopes.join(" ")),
                    realm,
                };
                if Url::parse(&bearer.realm).is_ok() {
                    return Ok(Some(Self::Bearer(bearer)));
                }
                // This is not the URL of a token service. It is kept so that the error can name it.
                unusual.get_or_insert(bearer);
            }
            basic |= challenge.is("basic");
        }
        match unusual {
            _ if basic => Ok(Some(Self::Basic)),
            Some(bearer) => Ok(Some(Self::Bearer(bearer))),
            None if texts.is_empty() => Ok(None),
            None => Err(Error::Challenge {
                registry: request.registry.clone(),
                challenge: one_line(&texts.join(", ")),
            }),
        }
    }
}

impl Bearer {
    /// Returns the scopes for a token: the scope of `request`, so that later requests can use the token too, and the
    /// scopes of the registry. Examples of these are reading the repository from which a blob is mounted, and
    /// `metadata_read` for a list of tags (Azure Container Registry). When the registry has another name for the
    /// repository, returns only the scopes of the registry.
    pub(super) fn scopes(&self, request: &Request) -> Vec<String> {
        let theirs = self.scope.as_deref().unwrap_or_default().split_whitespace();
        if request.repository.is_empty() {
            return theirs.map(str::to_owned).collect();
        }
        let repository = format!("repository:{}:", request.repository);
        let (here, elsewhere): (Vec<&str>, Vec<&str>) =
            theirs.partition(|scope| scope.starts_with(&repository));
        let named = elsewhere.is_empty() || !here.is_empty();
        let asked: Vec<&str> = here.iter().flat_map(|scope| actions(scope)).collect();
        let mut wanted: Vec<&str> = match request.scope {
            // Registries have different names for deletion. Quay names it `*` and refuses `delete`.
            Scope::DELETE if !asked.is_empty() => Vec::new(),
            ours => ours.0.split(',').collect(),
        };
        for action in asked {
            if !wanted.contains(&action) {
                wanted.push(action);
            }
        }
        let ours = named.then(|| format!("{repository}{}", wanted.join(",")));
        let elsewhere = elsewhere.into_iter().map(str::to_owned);
        ours.into_iter().chain(elsewhere).collect()
    }

    /// Returns whether the registry asks for more than the scope of `request`.
    pub(super) fn asks_for_more(&self, request: &Request) -> bool {
        let ours: Vec<&str> = request.scope.0.split(',').collect();
        let scopes = self.scopes(request);
        let mut actions = scopes.iter().flat_map(|scope| actions(scope));
        scopes.len() > 1 || actions.any(|action| !ours.contains(&action))
    }

    /// Returns whether a token for this challenge is also valid for `other`.
    pub(super) fn covers(&self, other: &Self, request: &Request) -> bool {
        let ours = self.scopes(request);
        let theirs = other.scopes(request);
        theirs
            .iter()
            .all(|theirs| ours.iter().any(|ours| contains(ours, theirs)))
    }
}

/// Returns whether a scope is for the resource of `other`, and has all of its actions.
fn contains(scope: &str, other: &str) -> bool {
    match (scope.rsplit_once(':'), other.rsplit_once(':')) {
        (Some((resource, _)), Some((same, _))) if resource == same => {
            actions(other).all(|action| actions(scope).any(|known| known == action))
        }
        _ => scope == other,
    }
}

/// Returns the actions of a scope, `type:name:action,action`.
fn actions(scope: &str) -> impl Iterator<Item = &str> {
    let (_, actions) = scope.rsplit_once(':').unwrap_or_default();
    actions.split(',').filter(|action| !action.is_empty())
}

#[cfg(test)]
#[path = "tests/challenge.rs"]
mod tests;
