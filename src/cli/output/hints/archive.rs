//! Hints for errors of archives, claims and keys, and of files.

use std::io;

use crate::archive::Error;

use super::paths::is_reference;

/// Returns what the user can do about an error of the archive layer.
pub(crate) fn archive_hint(error: &Error) -> Option<&'static str> {
    Some(match error {
        Error::Archive { source, .. } => return archive_hint(source),
        Error::Read { path, source }
            if source.kind() == io::ErrorKind::NotFound && is_reference(path) =>
        {
            "name a file, not a reference: `par pull` writes the archive of a reference to a file, and `par copy` copies it \
             to another reference"
        }
        Error::Read { source, .. } | Error::Write { source, .. } => return file_hint(source),
        Error::NotAnArchive(_) => {
            "name a provider archive: a tar, compressed or not, as `par create` writes it"
        }
        Error::ImageLayout => {
            "name an archive in it, as oci-archive://FILE.tar:NAME; `par tags oci-archive://FILE.tar` lists the names"
        }
        Error::Component => "push and pull components with `wkg oci push` and `wkg oci pull`",
        Error::Zip => "build the provider again, or pack its executables with `par create`",
        Error::TooLarge { .. } | Error::EntryTooLarge { .. } => {
            "check the executables, or where the archive is from: no provider needs that much (a program that \
             embeds the library can raise the limits)"
        }
        Error::SeveralMembers => {
            "compress the tar in one member, with `gunzip --stdout FILE | gzip` for example"
        }
        Error::Truncated(_)
        | Error::DamagedGzip(_)
        | Error::DamagedTar(_)
        | Error::TrailingData => "get the archive again from where it came from",
        Error::BadSignature { .. } | Error::HashMismatch { .. } | Error::Unclaimed(_) => {
            "do not use this archive; ask its publisher for one that verifies"
        }
        Error::Expired(_) => {
            "ask the publisher for a newer archive, or if it is yours, sign it again with \
             `par sign --expires`"
        }
        Error::NotYetValid(_) => "wait until then, or check the clock of this machine",
        Error::NoSuchKey { .. } => {
            "make a key with `par keys gen`, or name one with --issuer or --subject"
        }
        Error::NoSeed {
            takes_public_key: true,
            ..
        }
        | Error::MistypedPublicKey { .. }
        | Error::WrongPublicKey { .. } => {
            "give the public key, as `par keys get` prints it, the seed, the path of a file that holds one of them, or `-` \
             for standard input"
        }
        Error::NoSeed { .. } => {
            "give the seed itself, the path of a file that holds it, or `-` for standard input"
        }
        Error::CannotRotate { .. } => "name another account with --to, or fewer providers",
        Error::IdentityWouldChange { .. } => {
            "sign with the archive's own keys, or allow the change with --change-identity"
        }
        Error::NothingLeft => "delete the file, or insert another executable first",
        Error::NeverValid { .. } => "name a later time with --expires",
        Error::InputChanged(_) => "wait until the build has finished, then pack again",
        Error::ArchiveChanged(_) => {
            "look at the archive that is there now, and repeat the command if it still needs the change"
        }
        Error::NoKeyDirectory => "name a directory for keys with --directory or WASH_KEYS",
        _ => return None,
    })
}

/// Returns a hint if the path names something other than a regular file, or a file in a directory that does not exist.
pub(super) fn file_hint(error: &io::Error) -> Option<&'static str> {
    match error.kind() {
        // The error of a file that cannot be created names the missing directory. An error of the system has no text.
        io::ErrorKind::NotFound if error.get_ref().is_some() => {
            Some("create the directory, or name a file in another one")
        }
        io::ErrorKind::IsADirectory => Some("name a file, not a directory"),
        io::ErrorKind::InvalidInput => Some("name a file, not a device or a pipe"),
        _ => None,
    }
}

#[cfg(test)]
#[path = "tests/archive.rs"]
mod tests;
