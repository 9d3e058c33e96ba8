//! Hints for the findings of `par doctor`.

use crate::client::{Advice, Check, Finding};

use super::oci::oci_hint;

/// Returns what the user can do about a finding.
pub(crate) fn finding_hint(finding: &Finding) -> Option<String> {
    let hint = match &finding.advice {
        None => return finding.error.as_deref().and_then(oci_hint),
        Some(Advice::ReadThroughMirror(mirror)) => {
            return Some(format!(
                "content that {mirror} does not have cannot be read from here; all other checks are about {mirror}"
            ));
        }
        Some(Advice::CollectGarbage(left)) => {
            return Some(format!(
                "some bytes without a tag stay until the registry's garbage collection: {}",
                left.join(", ")
            ));
        }
        Some(Advice::AllowMediaTypes(prefix)) => {
            let hint = finding.error.as_deref().and_then(oci_hint);
            return hint.or_else(|| {
                Some(format!(
                    "ask the operator to allow the media types of provider archives, which begin with {prefix}"
                ))
            });
        }
        Some(Advice::RepairMirror) => {
            "repair the mirror, or remove it from hosts.toml: asking it costs time"
        }
        Some(Advice::UseTls) => "set up TLS on the registry, and leave out --insecure",
        Some(Advice::VerifyCertificate) => {
            "give the certificate of its authority with --ca, and leave out --insecure-skip-tls-verify"
        }
        Some(Advice::LogIn) => "run `par login` to push, or to read private repositories",
        Some(Advice::LogInUnlessPublic) => {
            "run `par login`, unless the repositories that you need are public: name a repository to find out"
        }
        Some(Advice::CheckName) => {
            "check the name of the repository; most registries create it with the first push, and some hide \
             a private one from those who are not logged in"
        }
        Some(Advice::NameTag) if finding.check == Check::Executable => {
            "name a tag of a provider archive"
        }
        Some(Advice::NameTag) => "name a tag of a provider archive, or give --push without --host",
        Some(Advice::FindProxy) => {
            "check whether a proxy removes the header `Range`: without it, interrupted downloads start again from the beginning"
        }
        Some(Advice::UseStatic) => {
            "build the executable for musl (`--target x86_64-unknown-linux-musl`, for example): a static one starts on \
             every host"
        }
        Some(Advice::InstallLibrary) => {
            "install the library on this machine, or link it statically"
        }
        Some(Advice::UseOtherCache) => "name another directory with --cache-dir or PAR_CACHE_DIR",
        Some(Advice::RaiseOpenFiles) => {
            "raise the limit: `ulimit -n`, or LimitNOFILE= in the unit of systemd"
        }
        Some(Advice::SetClock) => "set the clock, by NTP for example: tokens and claims have dates",
        Some(Advice::ChunksSuffice) => "no action is needed: blobs are sent in chunks",
        Some(Advice::WholeSuffices) => {
            "no action is needed, unless a proxy limits the size of requests"
        }
    };
    Some(hint.to_owned())
}
