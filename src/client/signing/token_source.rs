//! The sources of identity tokens.

use std::fmt;

use super::error::SigningError;
use super::token::IdentityToken;

/// The variable with an identity token. Cosign reads it too, and the documentation of GitLab names it.
const TOKEN: &str = "SIGSTORE_ID_TOKEN";
/// The variables that GitHub Actions sets for a job that may get identity tokens.
const REQUEST_URL: &str = "ACTIONS_ID_TOKEN_REQUEST_URL";
const REQUEST_TOKEN: &str = "ACTIONS_ID_TOKEN_REQUEST_TOKEN";

/// A source of identity tokens.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum TokenSource {
    /// One token.
    Token(IdentityToken),
    /// The service that issues tokens to a job of GitHub Actions.
    GitHub(GitHubTokens),
}

/// The service that issues tokens to a job of GitHub Actions. `Debug` does not show its secret.
#[derive(Clone)]
pub struct GitHubTokens {
    pub(super) url: String,
    pub(super) secret: String,
}

impl TokenSource {
    /// Finds the token source of a CI job in its environment variables: the token in `SIGSTORE_ID_TOKEN`, or else the
    /// service of GitHub Actions. `variable` returns the value of a variable. An empty value counts as not set.
    ///
    /// ```no_run
    /// use wasmcloud_par::signing::TokenSource;
    ///
    /// # fn source() -> Result<TokenSource, wasmcloud_par::signing::SigningError> {
    /// let source = TokenSource::ambient(|name| std::env::var(name).ok())?;
    /// # Ok(source)
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`SigningError::NoToken`], [`SigningError::NoGitHubToken`] and [`SigningError::NoGitLabToken`] if there is none, and
    /// [`SigningError::Token`] for a token that cannot be used.
    pub fn ambient(variable: impl Fn(&str) -> Option<String>) -> Result<Self, SigningError> {
        let value = |name| variable(name).filter(|value| !value.trim().is_empty());
        if let Some(token) = value(TOKEN) {
            return Ok(Self::Token(IdentityToken::new(&token)?));
        }
        if let (Some(url), Some(secret)) = (value(REQUEST_URL), value(REQUEST_TOKEN)) {
            return Ok(Self::GitHub(GitHubTokens { url, secret }));
        }
        let is_set = |name| value(name).is_some_and(|value| value == "true");
        Err(if is_set("GITHUB_ACTIONS") {
            SigningError::NoGitHubToken
        } else if is_set("GITLAB_CI") {
            SigningError::NoGitLabToken
        } else {
            SigningError::NoToken
        })
    }
}

impl From<IdentityToken> for TokenSource {
    fn from(token: IdentityToken) -> Self {
        Self::Token(token)
    }
}

#[cfg(feature = "sigstore")]
impl GitHubTokens {
    /// Returns the URL that answers with a token for Sigstore.
    pub(super) fn request_url(&self) -> String {
        let separator = if self.url.contains('?') { '&' } else { '?' };
        format!("{}{separator}audience=sigstore", self.url)
    }
}

impl fmt::Debug for GitHubTokens {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("GitHubTokens")
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
#[path = "tests/token_source.rs"]
mod tests;
