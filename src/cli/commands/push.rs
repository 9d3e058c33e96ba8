//! `par push`

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use clap::ValueHint;
use serde_json::Value;

use crate::cli::arguments::{
    Argument, RegistryArgs, STANDARD_INPUT, SigstoreArgs, TrustArgs, archive_path, created_at,
    standard_input,
};
use crate::cli::output::{Answer, Failure, bytes, path_text};
use crate::cli::session::Session;
use crate::cli::source_revision::SourceRevision;
use crate::client::{PushOptions, Pushed};
use crate::content::rfc3339;
use crate::oci::Reference;
use crate::oci::annotation_names::{CREATED, REVISION, SOURCE};

use super::annotations::{annotation, unique};
use super::{attach, attest, pinned, rotation};

/// Verify an archive, push it to a registry, and print its reference by digest
///
/// The reference has the form `registry/repository@digest`: use it in deployments. Content that the registry has
/// already is not sent again, and the tags are set last. If a tag names another manifest, it is moved, and the command
/// says so. Moving a tag from an archive of another issuer or subject needs --change-identity.
///
/// The manifest gets annotations with the name, the vendor and the version of the provider.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  par push ghcr.io/org/provider:1.0.0 provider.par.gz
  par push ghcr.io/org/provider:1.2.3 provider.par.gz --if-absent
  par push ghcr.io/org/provider:1.2.3 provider.par.gz --tag 1.2 --tag 1
  par push ghcr.io/org/provider:1.2.3 provider.par.gz --source
  par push ghcr.io/org/provider:1.2.3 provider.par.gz --attach provider.cdx.json=application/vnd.cyclonedx+json
  par push ghcr.io/org/provider:1.2.3 provider.par.gz --sigstore
  par push ghcr.io/org/provider:1.2.3 provider.par.gz --rotation rotation.jwt
  par push localhost:5000/provider:dev provider.par.gz -a org.opencontainers.image.source=URL")]
pub(crate) struct Args {
    /// The reference to push to
    #[arg(value_name = "REF")]
    reference: OsString,
    /// The archive; `-` reads it from standard input
    #[arg(value_name = "FILE|-", value_hint = ValueHint::FilePath)]
    archive: Argument,
    #[command(flatten)]
    publish: PublishArgs,
    /// The time of the build, in seconds since 1970, for an annotation. Default: no such annotation
    #[arg(long, env = "SOURCE_DATE_EPOCH", value_name = "SECONDS")]
    created: Option<String>,
    /// Verify the archive and print the reference that it would get, but send nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    trust: TrustArgs,
    #[command(flatten)]
    registry: RegistryArgs,
}

/// Options for a push: annotations, attachments, signatures and tags.
#[derive(clap::Args)]
pub(super) struct PublishArgs {
    /// An annotation for the manifest, which replaces one that `par` would set. May be given several times. Default:
    /// only those that `par` sets
    #[arg(short, long = "annotation", value_name = "KEY=VALUE", value_parser = annotation)]
    annotations: Vec<(String, String)>,
    /// Add the URL and the commit of the source as annotations, from the git repository at DIR: the remote `origin`
    /// without credentials, and HEAD. Without DIR: at the current directory. Default: neither is added
    #[arg(
        long,
        value_name = "DIR",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = ".",
        value_hint = ValueHint::DirPath
    )]
    source: Option<PathBuf>,
    /// Another tag to give to the archive, such as `1.2`. May be given several times. Default: only the tag of the
    /// reference
    #[arg(long = "tag", value_name = "TAG")]
    tags: Vec<String>,
    /// A file to attach to the archive, and its type, as `par attach` does, before a tag names the archive. May be given
    /// several times. Default: nothing is attached
    #[arg(long = "attach", value_name = "FILE=TYPE", value_parser = attach::file_and_type)]
    attachments: Vec<(String, String)>,
    /// Fail if one of the tags names another manifest already, instead of moving it
    #[arg(long)]
    if_absent: bool,
    /// Allow a tag that names an archive of another issuer or subject to be moved. For hosts, the tag then names
    /// another provider. Default: that is an error
    #[arg(long)]
    change_identity: bool,
    /// A file with the statement of a former issuer, which `par keys rotate` writes. With it, hosts that have pinned
    /// the former issuer accept the new one. Default: no statement is added
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    rotation: Option<PathBuf>,
    /// Sign the manifest with Sigstore before a tag names it, as `cosign sign` does, with the identity of this CI job.
    /// Nothing is tagged if that fails. Default: the manifest is not signed with Sigstore
    #[cfg_attr(not(feature = "sigstore"), arg(hide = true))]
    #[arg(long)]
    sigstore: bool,
    #[command(flatten)]
    signing: SigstoreArgs,
}

impl PublishArgs {
    /// Whether there are tags besides the one of the reference.
    pub(super) fn is_tagged(&self) -> bool {
        !self.tags.is_empty()
    }

    /// Checks the reference to push to, and the additional tags.
    pub(super) fn reference(&self, registry: &RegistryArgs, argument: &OsStr) -> Result<Reference> {
        let reference = registry.reference_before_file(argument, self.is_tagged())?;
        let command = format!("par push {reference} FILE --tag");
        for tag in &self.tags {
            registry.settle_new_tag(&reference, tag, &command)?;
        }
        Ok(reference)
    }

    /// Converts the arguments, and reads the files that they name. `created` is the time of the build, in seconds since 1970.
    pub(super) async fn options(
        self,
        created: Option<u64>,
        session: &Session,
    ) -> Result<PushOptions> {
        if !self.sigstore && self.signing.any() {
            let message = "--identity-token, --signing-config and --trusted-root need --sigstore";
            bail!(Failure::usage(message).hint("add --sigstore to sign the manifest"));
        }
        let mut options = PushOptions::default()
            .if_absent(self.if_absent)
            .change_identity(self.change_identity);
        options.annotations = unique(self.annotations)?;
        describe_build(&mut options, created, self.source.as_deref(), session).await?;
        options.tags = self.tags;
        options.attachments = attach::attachments(self.attachments, created)?;
        if self.sigstore {
            options.sigstore = Some(self.signing.signer().await?);
        }
        options.rotation = match self.rotation {
            Some(path) => Some(rotation::read(path).await?),
            None => None,
        };
        Ok(options)
    }
}

pub(crate) async fn run(args: Args, session: &Session) -> Result<Answer> {
    let reference = args.publish.reference(&args.registry, &args.reference)?;
    let created = created_at(args.created.as_deref(), "the build")?;
    let would_sign = args.dry_run && args.publish.sigstore;
    let options = args.publish.options(created, session).await?;
    let options = options.dry_run(args.dry_run);
    let trust = args.trust.policy().await?;
    let client = args.registry.client(session, trust).await?;
    let pushed = if args.archive == "-" {
        let input = standard_input()?;
        client
            .push_from(input, STANDARD_INPUT, &reference, options)
            .await
    } else {
        let archive = archive_path(&args.archive);
        client.push(&archive, &reference, options).await
    };
    let pushed = pushed.map_err(pinned::explain)?;
    let dry_run = args.dry_run.then_some(DryRun { would_sign });
    tell(&pushed, dry_run, session);
    Ok(answer(&pushed)
        .field("dry_run", args.dry_run)
        .field("would_sign", would_sign))
}

/// A push that sends nothing.
#[derive(Clone, Copy)]
pub(super) struct DryRun {
    /// Whether the push itself would sign the manifest with Sigstore.
    would_sign: bool,
}

/// Tells the user which tags moved, what was attached, and how much was sent, or what a dry run would have done.
pub(super) fn tell(pushed: &Pushed, dry_run: Option<DryRun>, session: &Session) {
    pinned::tell_moved(session, &pushed.tags, &pushed.digest);
    for attached in &pushed.attached {
        let (kind, digest) = (&attached.artifact_type, &attached.digest);
        session.note(&match (attached.existed, dry_run.is_some()) {
            (true, _) => format!("attached already: {kind} {digest}"),
            (false, true) => format!("would attach {kind} {digest}"),
            (false, false) => format!("attached {kind} {digest}"),
        });
    }
    if let Some(signature) = &pushed.signature {
        attest::tell(signature, session);
    }
    if let Some(DryRun { would_sign }) = dry_run {
        if would_sign {
            session.note("would sign the manifest with Sigstore");
        }
        session.note("nothing was sent: this is a dry run");
    } else {
        session.note(&format!(
            "sent {}, mounted {}, there already {}",
            bytes(pushed.sent),
            bytes(pushed.mounted),
            bytes(pushed.existing)
        ));
    }
}

/// Returns the answer of a command that has pushed an archive.
pub(super) fn answer(pushed: &Pushed) -> Answer {
    let attached = pushed.attached.iter();
    let attached = attached.map(|attached| attach::to_json(&pushed.reference, attached));
    let signature = pushed.signature.as_ref();
    let signature = signature.map(|signed| attest::to_json(&pushed.reference, signed));
    pinned::pushed(&pushed.reference, &pushed.digest)
        .field("attached", attached.collect::<Value>())
        .field("signature", signature)
        .field("tags", pinned::tags(&pushed.tags))
        .field("sent", pushed.sent)
        .field("mounted", pushed.mounted)
        .field("there_already", pushed.existing)
}

/// Adds annotations about the time of the build and about the source. Annotations that the user gives are not replaced.
async fn describe_build(
    options: &mut PushOptions,
    created: Option<u64>,
    source: Option<&Path>,
    session: &Session,
) -> Result<()> {
    let mut found = Vec::new();
    if let Some(created) = created {
        found.push((CREATED, rfc3339(created)));
    }
    if let Some(directory) = source {
        let source = SourceRevision::of(directory).await?;
        if source.is_dirty {
            session.warn(&format!(
                "the files in {} differ from the commit {}, which the annotation names",
                path_text(directory),
                source.commit
            ));
        }
        found.push((REVISION, source.commit));
        match source.url {
            Some(url) => found.push((SOURCE, url)),
            None => session.warn(&format!(
                "{} has no remote `origin` with a URL, so there is no annotation of the source",
                path_text(directory)
            )),
        }
    }
    for (key, value) in found {
        options.annotations.entry(key.to_owned()).or_insert(value);
    }
    Ok(())
}
