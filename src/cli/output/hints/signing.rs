//! Hints for errors of signing with Sigstore.

use crate::client::signing::SigningError;
use crate::client::sigstore::TrustedRootError;

use super::archive::file_hint;
use super::oci::oci_hint;

/// Returns a hint for a signing error.
pub(crate) fn signing_hint(error: &SigningError) -> Option<String> {
    let hint = match error {
        SigningError::NoToken => {
            "in a shell, run `cosign sign` or `cosign attest` with the reference by digest, which ask in a browser who you are; \
             in CI, put a token for the audience `sigstore` into SIGSTORE_ID_TOKEN, or name its file with --identity-token"
        }
        SigningError::NoGitHubToken => {
            "give the job the permission `id-token: write` in the workflow"
        }
        SigningError::NoGitLabToken => {
            "declare the token in the job: `id_tokens: {SIGSTORE_ID_TOKEN: {aud: sigstore}}`"
        }
        SigningError::Token(_) => {
            "give a JSON Web Token of an OpenID Connect issuer that the instance knows, for the audience `sigstore`"
        }
        SigningError::TokenExpired { .. } => {
            "get a new token right before signing, and check the clock of this machine"
        }
        SigningError::NotInCi => {
            "give the predicate with --predicate, and its type with --type; in a shell, `cosign attest --type slsaprovenance1 \
             --predicate FILE REF` signs it as you"
        }
        SigningError::CiVariable(_) => {
            "run it in a job of GitHub Actions or GitLab, and pass the variable on to a container that it starts"
        }
        SigningError::PredicateType(_) => {
            "write a URI, or one of slsaprovenance1, slsaprovenance, spdxjson, cyclonedx, vuln, openvex, link and custom"
        }
        SigningError::Predicate(_) => "give a file with a JSON object",
        SigningError::WrappedTooLarge { .. } => {
            "name the type of the predicate instead of `custom`: the file is signed as it is written then"
        }
        SigningError::File { source, .. }
        | SigningError::TrustedRoot(TrustedRootError::File { source, .. }) => file_hint(source)?,
        SigningError::Configuration { .. } => {
            "create the file with `cosign signing-config create`, or download the file of the instance again"
        }
        SigningError::TrustedRoot(_) => {
            "create the file with `cosign trusted-root create`, or download the file of the instance again"
        }
        SigningError::Service {
            what: "an identity token",
            ..
        } if error.is_about_token() => {
            "run the job again: the secret in ACTIONS_ID_TOKEN_REQUEST_TOKEN counts only while the job runs"
        }
        error if error.is_about_token() => {
            "check that the instance knows the issuer of the token, and that the token is for the audience `sigstore` and has not \
             expired"
        }
        SigningError::Service { source, .. } => return oci_hint(source),
        SigningError::Answer {
            what: "an identity token",
            ..
        } => {
            "run the job again; if its runner is your own, check ACTIONS_ID_TOKEN_REQUEST_URL, or give the job a token in \
             SIGSTORE_ID_TOKEN"
        }
        SigningError::NotVerified(_) | SigningError::Answer { .. } => {
            "check that --signing-config and --trusted-root are of one instance, and ask its operator; for the public instance, get \
             a newer version of `par`"
        }
        SigningError::NotBuilt => "use a `par` that was built with `--features sigstore`",
        _ => return None,
    };
    Some(hint.to_owned())
}

#[cfg(test)]
#[path = "tests/signing.rs"]
mod tests;
