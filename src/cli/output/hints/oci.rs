//! Hints for errors of registries and image layouts.

use std::path::Path;

use crate::content::ErrorKind;
use crate::oci::{
    ClientCertificateProblem, DOCKER_ARCHIVE, Error, LayoutForm, ParseReferenceError, ProxyError,
    TlsProblem, UploadProblem, UrlPart,
};

use super::archive::file_hint;
use super::paths::layout_hint;

/// What to do with a `docker-archive`, which is not an image layout.
const CONVERT_DOCKER_ARCHIVE: &str = "convert it with `skopeo copy docker-archive:FILE.tar oci-archive:NEW.tar`, and give \
     oci-archive://NEW.tar";

/// Returns what the user can do about an error of the OCI layer.
pub(crate) fn oci_hint(error: &Error) -> Option<String> {
    let hint = match error {
        Error::GaveUp { last, .. } => return oci_hint(last),
        Error::Reference(error) => return reference_hint(error),
        Error::CredentialsMissing { registry, .. } => {
            let options = Some("--user and --password");
            return Some(missing_credentials_hint(registry, options));
        }
        Error::CredentialsRefused { registry, .. } => {
            return Some(format!(
                "check user and password; what `par login {registry}` or `docker login` stored may have \
                 expired"
            ));
        }
        Error::IdentityTokenRefused { registry, .. } => {
            return Some(format!(
                "run `par login {registry}` or `docker login` again: an identity token expires and can be \
                 revoked"
            ));
        }
        Error::IdentityTokenUnsupported { registry, .. } => {
            return Some(format!(
                "run `par login {registry}` with a user and a password or access token, which replaces the \
                 identity token"
            ));
        }
        Error::CredentialEntry { registry, path, .. } => {
            let file = credential_file(path);
            return Some(format!(
                "run `par login {registry}` again, repair {file}, or give --user and --password"
            ));
        }
        Error::CredentialFile { path, .. } => {
            let file = credential_file(path);
            return Some(format!(
                "make {file} readable, or give --user and --password"
            ));
        }
        Error::Unreachable { registry, .. } => {
            return Some(format!(
                "check the name {registry}, whether the registry is running, and your network"
            ));
        }
        Error::Proxy(error) => return Some(proxy_hint(error)),
        Error::ClientCertificate { path, problem, .. } => {
            return client_certificate_hint(&path.display().to_string(), problem);
        }
        Error::NoAuthorities { .. } => {
            "install the system's `ca-certificates`, let SSL_CERT_FILE name a PEM file with certificate authorities or \
             unset it and SSL_CERT_DIR, or give --ca"
        }
        Error::CredentialsNotStored { path, .. } => {
            let file = credential_file(path);
            return Some(format!(
                "make {file} and its directory writable, or name another file with --registry-config or \
                 REGISTRY_AUTH_FILE"
            ));
        }
        Error::CredentialHelper { .. } => {
            "repair the helper, remove it from `credsStore` and `credHelpers` in the file, or give --user \
             and --password"
        }
        Error::Forbidden { .. } => "ask for permission for this repository, or use another account",
        Error::RealmRefused { .. } => {
            "ask the operator of the registry why it names this token service: credentials are only sent \
             within the registry's own domain"
        }
        Error::TokenService { answer, .. } if answer.status == 429 => {
            "wait, or log in: the token service limits the rate of requests"
        }
        // The token service is only unavailable now, so trying again may help.
        Error::TokenService { .. } if error.kind() == ErrorKind::Unavailable => return None,
        Error::TokenAnswer { .. } | Error::TokenService { .. } => {
            "ask the operator of the registry: its token service does not answer as a token service does"
        }
        Error::Upload { problem, .. } => upload_hint(problem),
        Error::Redirect { .. } | Error::RedirectDenied { .. } => {
            "name the registry to which the redirect leads, if it leads to one, or ask the operator"
        }
        Error::NotFound { what, .. } => match what.as_str() {
            "API" => "check the name and the port: the API of a registry begins at /v2/",
            what if what.starts_with("list of tags") => "check the name of the repository",
            what if what.contains("sha256:") || what.contains("sha512:") => {
                "check the repository and the digest"
            }
            _ => "check the repository and the tag",
        },
        Error::Ambiguous { directory, .. } => {
            let form = if directory.is_file() {
                LayoutForm::File
            } else {
                LayoutForm::Directory
            };
            return Some(format!(
                "name one by its digest: {}{}@sha256:…",
                form.scheme(),
                directory.display()
            ));
        }
        Error::NotALayout { reason, .. } if reason.starts_with("it is compressed") => {
            "decompress it first, as with `gunzip` or `zstd --decompress`: reading a layout needs access to any place in the file"
        }
        Error::NotALayout { reason, .. } if *reason == DOCKER_ARCHIVE => CONVERT_DOCKER_ARCHIVE,
        Error::File { source, .. } => file_hint(source)?,
        Error::NotARegistry { .. } => {
            "check the name and the port: the API of a registry begins at /v2/"
        }
        Error::Tls {
            problem: problem @ TlsProblem::UnknownAuthority,
            ..
        } if has_own_authorities() => {
            let hint = tls_hint(*problem);
            return Some(format!(
                "{hint}; SSL_CERT_FILE and SSL_CERT_DIR replace the authorities of the system"
            ));
        }
        Error::Tls { problem, .. } => tls_hint(*problem),
        Error::PlainHttp { .. } => {
            "leave out --insecure; a registry on this machine is asked over TLS when one of --ca, \
             --client-cert and --insecure-skip-tls-verify is given, or when hosts.toml says so"
        }
        Error::NoMirrorEither { .. } => {
            "run `par doctor` to find out what is wrong with the registry and each of its mirrors, or push \
             what a mirror lacks to it"
        }
        Error::Component { .. } => "use `wkg oci` for WebAssembly components",
        Error::UnsupportedArtifact { .. } => {
            "check the reference: provider archives are pushed with `par push` or `wash push`"
        }
        Error::UnsupportedManifest { .. } => {
            "push the artifact again with a tool that writes OCI manifests, and copy that one"
        }
        Error::Encoded { .. } => {
            "switch compression off in the proxy in front of the registry, at least for paths below /v2/"
        }
        Error::TagImmutable { .. } => {
            "push under a new tag, or refer to the existing manifest by its digest"
        }
        Error::StoredDifferently { .. } => {
            "do not deploy it; push again, or check the registry's storage"
        }
        Error::Refused { answer, .. } if answer.status == 429 => {
            "wait, or log in: the registry limits the rate of requests"
        }
        Error::Refused { answer, .. } if answer.status == 405 => {
            "ask the operator of the registry to allow this request"
        }
        Error::HostsDirectory { .. } => {
            "name a directory such as containerd's `certs.d` with --hosts-dir or PAR_HOSTS_DIR"
        }
        _ => return None,
    };
    Some(hint.to_owned())
}

/// Returns what the user can do about a registry that does not accept an upload.
fn upload_hint(problem: &UploadProblem) -> &'static str {
    match problem {
        UploadProblem::NoRepository { .. } => {
            "check the name of the repository, create it first if the registry asks for that, and log in \
             with an account that may push to it"
        }
        UploadProblem::TooLarge { .. } => {
            "raise the limit on the size of requests in the proxy in front of the registry, such as \
             `client_max_body_size` of nginx"
        }
        UploadProblem::Forgotten { .. } => {
            "give all replicas of the registry the same secret (REGISTRY_HTTP_SECRET) and the same storage, \
             or send each client to one replica"
        }
        UploadProblem::Elsewhere { part, .. } => match part {
            UrlPart::Scheme => {
                "in the proxy in front of the registry, set `X-Forwarded-Proto` to the scheme that clients use, \
                 or let the registry give relative locations (REGISTRY_HTTP_RELATIVEURLS=true)"
            }
            _ => {
                "in the proxy in front of the registry, pass on the header `Host` with its port (nginx: \
                 `proxy_set_header Host $http_host`), or let the registry give relative locations \
                 (REGISTRY_HTTP_RELATIVEURLS=true)"
            }
        },
    }
}

/// Returns whether environment variables name the certificate authorities.
fn has_own_authorities() -> bool {
    let mut names = ["SSL_CERT_FILE", "SSL_CERT_DIR"].into_iter();
    names.any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()))
}

/// Returns what the user can do if no credentials for `registry` are known. `options` give a user and a password; `None`: no
/// options can give them for this registry.
pub(crate) fn missing_credentials_hint(registry: &str, options: Option<&str>) -> String {
    if let Some(file) = missing_credential_file() {
        return format!(
            "correct REGISTRY_AUTH_FILE, which names {file}, where there is no file, or run `par login {registry}`"
        );
    }
    let options = options.map(|options| format!(", or give {options}"));
    let options = options.unwrap_or_default();
    format!(
        "run `par login {registry}`{options}; check the name of the repository too: one that does not exist answers \
         the same way"
    )
}

/// Returns the path in `REGISTRY_AUTH_FILE` if there is no file at that path.
fn missing_credential_file() -> Option<String> {
    let path = std::env::var_os("REGISTRY_AUTH_FILE").filter(|value| !value.is_empty())?;
    let path = Path::new(&path);
    (!path.exists()).then(|| path.display().to_string())
}

/// Returns how a hint names the file with credentials at `path`: with the environment variable that names it, if there
/// is one.
fn credential_file(path: &Path) -> String {
    let leads_here = |name: &str, rest: &str| {
        let value = std::env::var_os(name).filter(|value| !value.is_empty());
        value.is_some_and(|value| Path::new(&value).join(rest) == path)
    };
    if leads_here("REGISTRY_AUTH_FILE", "") {
        "the file that REGISTRY_AUTH_FILE names".to_owned()
    } else if leads_here("DOCKER_CONFIG", "config.json") {
        "`config.json` in the directory that DOCKER_CONFIG names".to_owned()
    } else {
        "the file".to_owned()
    }
}

/// Returns what the user can do about a problem with TLS.
fn tls_hint(problem: TlsProblem) -> &'static str {
    match problem {
        TlsProblem::UnknownAuthority => {
            "give the certificate of its authority with --ca, or put it where --hosts-dir looks for it"
        }
        TlsProblem::Expired | TlsProblem::NotYetValid => {
            "renew the certificate of the registry, or check the clock of this machine"
        }
        TlsProblem::OtherName => {
            "use the name that the certificate is for, or have a certificate issued for this name"
        }
        TlsProblem::ClientCertificate => {
            "give a certificate that the registry accepts with --client-cert and --client-key, or in \
             hosts.toml"
        }
        TlsProblem::NoTls => "give --insecure if the registry speaks plain HTTP",
        TlsProblem::Authority => {
            "replace a certificate that is its own authority (CaUsedAsEndEntity) with one that an \
             authority issued"
        }
        TlsProblem::Version1 => {
            "have a certificate of version 3 issued: `openssl x509 -req` makes one when -extfile names extensions, such as \
             subjectAltName"
        }
        TlsProblem::OtherPurpose => "have a certificate issued with the purpose serverAuth",
        TlsProblem::Certificate => "have another certificate issued for the registry",
        _ => "find out what answers at this address: the registry, or a proxy in front of it",
    }
}

/// Returns what the user can do about a client certificate that cannot be used.
fn client_certificate_hint(path: &str, problem: &ClientCertificateProblem) -> Option<String> {
    Some(match problem {
        ClientCertificateProblem::EncryptedKey => format!(
            "decrypt the key with `openssl pkey -in {path} -out FILE`, and give that file with --client-key"
        ),
        ClientCertificateProblem::Version1 => {
            "have a certificate of version 3 issued: `openssl x509 -req` makes one when -extfile names extensions, such as \
             extendedKeyUsage=clientAuth"
                .to_owned()
        }
        ClientCertificateProblem::Binary => format!(
            "convert it to PEM: `openssl x509 -inform der -in {path}` for a certificate, `openssl pkey -inform der \
             -in {path}` for a key, `openssl pkcs12 -nodes -in {path}` for both in PKCS #12"
        ),
        ClientCertificateProblem::NoKey => {
            "give the file of the key with --client-key".to_owned()
        }
        _ => return None,
    })
}

/// Returns what the user can do about a proxy.
fn proxy_hint(error: &ProxyError) -> String {
    match error {
        ProxyError::Variable { variable, .. } => {
            format!("set {variable} to a URL such as http://proxy:3128, or unset it")
        }
        ProxyError::Denied { named_by, .. } => format!(
            "put user and password into the URL of the proxy in {named_by}: http://USER:PASSWORD@HOST:PORT"
        ),
        ProxyError::Tls {
            problem: TlsProblem::NoTls,
            named_by,
            ..
        } => format!("write http:// in {named_by} if the proxy speaks plain HTTP"),
        ProxyError::Tls { problem, .. } => tls_hint(*problem).to_owned(),
        ProxyError::Unreachable {
            registry, named_by, ..
        } => format!(
            "check the proxy in {named_by}, or add {registry} to NO_PROXY if it is reached without one"
        ),
    }
}

/// Returns what the user can do about a malformed reference.
pub(crate) fn reference_hint(error: &ParseReferenceError) -> Option<String> {
    match error {
        ParseReferenceError::Scheme { scheme, .. } if scheme == "http://" => {
            Some("give --insecure if the registry speaks plain HTTP".to_owned())
        }
        ParseReferenceError::Scheme { scheme, .. } if scheme == "docker-archive://" => {
            Some(CONVERT_DOCKER_ARCHIVE.to_owned())
        }
        ParseReferenceError::RegistryMissing { reference }
            if reference.starts_with("docker-archive:") =>
        {
            Some(CONVERT_DOCKER_ARCHIVE.to_owned())
        }
        ParseReferenceError::Userinfo { .. } => Some(
            "run `par login`, or give --user and --password; the password may be in the history of the shell now"
                .to_owned(),
        ),
        ParseReferenceError::Tag { tag, .. } if tag.contains('+') => {
            let instead = tag.replace('+', "_");
            Some(format!(
                "write `_` in place of `+`, which no tag may have, as Helm does: {instead}"
            ))
        }
        ParseReferenceError::RegistryMissing { reference }
        | ParseReferenceError::RepositoryMissing { reference }
        | ParseReferenceError::UppercaseRepository { reference, .. }
        | ParseReferenceError::Tag { reference, .. }
        | ParseReferenceError::Malformed { reference }
        | ParseReferenceError::Registry { text: reference } => layout_hint(reference),
        _ => None,
    }
}

#[cfg(test)]
#[path = "tests/oci.rs"]
mod tests;
