//! The issuer and the subject of a new archive.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use serde_json::{Value, json};

use crate::archive::{self, KeyDirectories, KeyKind, KeyOrigin, Signer, Subject};
use crate::cli::arguments::{
    Binaries, SigningArgs, default_account, is_ci, refuse_inputs, signing_at,
};
use crate::cli::output::{Failure, path_text};
use crate::cli::session::Session;
use crate::cli::signed_names;
use crate::content::ErrorKind;

/// The issuer and the subject of a new archive.
pub(super) struct NewIdentity {
    pub(super) signer: Signer,
    subject: Subject,
    /// The keys that were generated, for a JSON answer.
    pub(super) generated: Vec<Value>,
    /// The path of the subject's key, if its name comes from a binary.
    default_key: Option<PathBuf>,
}

impl NewIdentity {
    /// Finds the keys. Generates missing keys, unless the options or the variable `CI` forbid it; `keygen` overrides
    /// the variable. If one key cannot be used, no other key is generated. The archive at `destination` must not replace
    /// the file of a key.
    pub(super) fn find(
        options: &SigningArgs,
        binaries: &Binaries,
        destination: &Path,
        keygen: bool,
        session: &Session,
    ) -> Result<Self> {
        let may_generate = !options.disable_keygen && (keygen || !is_ci());
        let created = options.created()?;
        let issuer_name = KeyKind::Account.file_name(&default_account());
        let subject_name = match options.subject {
            Some(_) => String::new(),
            None => default_subject(options, binaries, session)?,
        };
        // A directory that is missing is made if all keys that are looked for are generated.
        let directories = options.directory.directories();
        let defaults = [
            (&options.issuer, &issuer_name),
            (&options.subject, &subject_name),
        ];
        let is_needed = |(given, name): (&Option<String>, &String)| {
            given.is_none() && (!may_generate || directories.holds(name))
        };
        if defaults.into_iter().any(is_needed) {
            options.require_directory()?;
        }
        let explain = |error| options.explain_name(error);
        let issuer = unless_missing(options.issuer(&issuer_name, false)).map_err(explain)?;
        let subject = unless_missing(options.subject(&subject_name, false)).map_err(explain)?;
        let files = [
            key_file(&issuer, &issuer_name, &directories),
            key_file(&subject, &subject_name, &directories),
        ];
        let files = files.into_iter().flatten();
        refuse_inputs(destination, files.map(|path| ("the file of a key", path)))?;
        let (issuer, issuer_origin) = match issuer {
            Err(_) if may_generate => options.issuer(&issuer_name, true)?,
            found => found.map_err(|error| explain_missing_key(error, options))?,
        };
        let (subject, subject_origin) = match subject {
            Err(_) if may_generate => options.subject(&subject_name, true)?,
            found => found.map_err(|error| explain_missing_key(error, options))?,
        };
        let keys = [
            (KeyKind::Account, issuer.public_key(), issuer_origin),
            (
                KeyKind::Service,
                subject.to_string(),
                subject_origin.clone(),
            ),
        ];
        let keys = keys.into_iter();
        let generated =
            keys.filter_map(|(kind, key, origin)| announce(session, kind, &key, &origin));
        let generated = generated.collect();
        let default_key = match subject_origin {
            KeyOrigin::File(path) | KeyOrigin::Generated(path) if options.subject.is_none() => {
                Some(path)
            }
            _ => None,
        };
        let signer = Signer::new(issuer, subject.clone())?;
        Ok(Self {
            signer: signing_at(signer, created),
            subject,
            generated,
            default_key,
        })
    }

    /// Returns a warning if the subject's key was found by the name of a binary and has signed a provider with another
    /// name before.
    pub(super) fn shared_with(&self, name: &str) -> Option<String> {
        let path = path_text(self.default_key.as_ref()?);
        let other = signed_names::last(&self.subject).filter(|last| last != name)?;
        Some(format!(
            "the service key {path} has signed the provider `{other}`: for hosts, `{name}` is the same provider; name \
             another key with --subject"
        ))
    }

    /// Notes that the subject's key has signed a provider with this name. A key that an option names is noted too,
    /// because the next archive may find it by the name of a binary.
    pub(super) fn note(&self, name: &str) {
        signed_names::note(&self.subject, name);
    }
}

/// Tells the user if a key was generated, and returns it for a JSON answer.
fn announce(
    session: &Session,
    kind: KeyKind,
    public_key: &str,
    origin: &KeyOrigin,
) -> Option<Value> {
    let KeyOrigin::Generated(path) = origin else {
        return None;
    };
    let path = path_text(path);
    session.note_always(&format!(
        "generated the {kind} key {path}; keep it safe: the next release needs it"
    ));
    Some(json!({ "kind": kind.name(), "path": path, "public_key": public_key }))
}

/// Returns the file that a key was read from, or the file `name` that a missing key is written to when it is generated.
fn key_file<K>(
    found: &Result<(K, KeyOrigin), archive::Error>,
    name: &str,
    directories: &KeyDirectories,
) -> Option<PathBuf> {
    match found {
        Ok((_, origin)) => origin.file().map(Path::to_owned),
        Err(_) => Some(directories.directories().first()?.join(name)),
    }
}

/// Returns the error of a missing key as a value inside `Ok`, and every other error as the error.
fn unless_missing<T>(
    found: Result<T, archive::Error>,
) -> Result<Result<T, archive::Error>, archive::Error> {
    match found {
        Err(error @ archive::Error::NoSuchKey { .. }) => Ok(Err(error)),
        found => found.map(Ok),
    }
}

/// Returns the name of the file with the key of the subject. It is made of the name of a binary: the first name in the
/// alphabet that has a key, else the first name in the alphabet. So it does not depend on the order of the binaries.
fn default_subject(
    options: &SigningArgs,
    binaries: &Binaries,
    session: &Session,
) -> Result<String> {
    let stems = binaries.stems()?;
    let names = stems.iter().map(|stem| KeyKind::Service.file_name(stem));
    let names: Vec<String> = names.collect();
    let directories = options.directory.directories();
    let found = names.iter().find(|name| directories.holds(name));
    let Some(taken) = found.or(names.first()) else {
        bail!(Failure::usage("there is no binary to pack"));
    };
    if names.len() > 1 {
        session.note(&format!(
            "the binaries have several names: the key of the subject is {taken}; to use another one, give --subject"
        ));
    }
    Ok(taken.clone())
}

/// Explains the error of a missing key if no key is generated because the variable `CI` is set.
fn explain_missing_key(error: archive::Error, options: &SigningArgs) -> anyhow::Error {
    let archive::Error::NoSuchKey { kind, .. } = &error else {
        return error.into();
    };
    if options.disable_keygen || !is_ci() {
        return error.into();
    }
    let message = format!("the {kind} key is missing, and none is generated because CI is set");
    let option = if *kind == KeyKind::Account.name() {
        "issuer"
    } else {
        "subject"
    };
    let hint = format!(
        "give the key of your earlier releases with --{option} or its variable; --keygen makes a new key, which \
         is another identity for hosts"
    );
    let failure = Failure::new(ErrorKind::NotFound, message).hint(hint);
    anyhow::Error::new(error).context(failure)
}
