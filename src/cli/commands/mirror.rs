//! `par mirror`

mod answer;
mod files;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use clap::ValueHint;

use crate::cli::arguments::{
    LockArgs, MirrorList, OnCommandLine, Reached, Selected, SidesArgs, TagPattern, TrustArgs,
    destination, newest, refuse_inputs,
};
use crate::cli::failures::Failures;
use crate::cli::output::{Answer, Failure};
use crate::cli::session::Session;
use crate::client::{
    Client, Error, MirrorDestination, MirrorHosts, MirrorOptions, MirrorSource, Mirrored,
    TrustPolicy,
};
use crate::content::ErrorKind;
use crate::oci::Reference;

use answer::Report;

/// The largest number of references that are mirrored by one command.
const LIMIT: usize = 10_000;

/// Copy the artifacts of a deployment to a mirror, under their full names, and print a `hosts.toml` for the mirror
///
/// LIST is a list of references, one per line, with `#` before comments; a wadm manifest (YAML), whose providers and
/// components are mirrored; a lock file, whose digests are mirrored; `-` for a list or a manifest on standard input;
/// one reference; or an image layout that holds a mirror, as oci-layout://DIR or FILE.tar. If LIST is a lock file, it is
/// the lock: PAR_LOCK is ignored, and --locked and --lock-file are refused.
///
/// DST is REGISTRY[/PREFIX], oci-layout://DIR or oci-archive://FILE.tar. ghcr.io/org/provider:1.0.0 becomes
/// REGISTRY/PREFIX/ghcr.io/org/provider:1.0.0. In a layout, the whole reference is the name.
///
/// Each provider archive is checked against the trust policy, the pins and the lock before anything of it is copied. A
/// refused archive is not copied, everything else is copied, and the exit code is 5. WebAssembly components and other
/// artifacts are copied without this check.
///
/// Content that the mirror has already is not sent again, so the command can be repeated after an interruption.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  par mirror wadm.yaml registry.internal/mirror
  par mirror par.lock oci-archive://carried.tar
  par mirror carried.tar registry.internal/mirror --write-hosts /etc/containerd/certs.d
  par mirror ghcr.io/org/provider registry.internal/mirror --tags '^1\\.' --newest 3
  par mirror wadm.yaml registry.internal/mirror --check")]
pub(crate) struct Args {
    /// The artifacts to mirror
    #[arg(value_name = "LIST", value_hint = ValueHint::FilePath)]
    list: OsString,
    /// The mirror
    #[arg(value_name = "DST")]
    mirror: String,
    /// For a reference without a tag, mirror the tags that this regular expression matches. Default: the tags that are
    /// versions, if --newest is given; else a reference without a tag is an error
    #[arg(long, value_name = "REGEX")]
    tags: Option<TagPattern>,
    /// For a reference without a tag, mirror at most this number of tags, the newest in the order of `par tags`.
    /// Default: all that --tags matches
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..))]
    newest: Option<u32>,
    /// Copy nothing, and fail if the mirror lacks an artifact or has another one under its name. Default: missing
    /// content is copied
    #[arg(long, conflicts_with_all = ["dry_run", "write", "write_hosts"])]
    check: bool,
    /// Copy nothing, and print what would be sent. Default: missing content is copied
    #[arg(long, conflicts_with_all = ["write", "write_hosts"])]
    dry_run: bool,
    /// Also write LIST to this file, with the names in the mirror. Comments and formatting are kept. The file may be
    /// LIST itself. Nothing is written if anything fails
    #[arg(
        long,
        value_name = "FILE",
        value_hint = ValueHint::FilePath,
        value_parser = destination()
    )]
    write: Option<PathBuf>,
    /// Also write a `hosts.toml` for each registry below this directory, which hosts read with --hosts-dir. A file that
    /// this command has written is replaced; any other file is left as it is, which is an error
    #[arg(
        long,
        value_name = "DIR",
        value_hint = ValueHint::DirPath,
        value_parser = destination()
    )]
    write_hosts: Option<PathBuf>,
    /// Allow tags of the mirror to be moved from an archive of another issuer or subject. Default: that is an error
    #[arg(long)]
    change_identity: bool,
    #[command(flatten)]
    trust: TrustArgs,
    #[command(flatten)]
    lock: OnCommandLine<LockArgs>,
    #[command(flatten)]
    registries: SidesArgs,
}

pub(crate) async fn run(mut args: Args, session: &Session) -> Result<Answer> {
    refuse_file(&args.mirror)?;
    let mirror: MirrorDestination = args.mirror.parse()?;
    let list = MirrorList::read(&args.list).await?;
    if matches!(list, MirrorList::Lock(_)) {
        let path = PathBuf::from(&args.list);
        if let Some(option) = &args.lock.first {
            let message = format!("LIST is a lock file, so {option} is not possible");
            bail!(Failure::usage(message).hint(format!("leave out {option}")));
        }
        args.lock.options = LockArgs::naming(path);
    }
    if args.write.is_some() && !matches!(list, MirrorList::Deployment(_)) {
        let message = "--write writes a list or a wadm manifest, and LIST is neither";
        bail!(Failure::usage(message).hint("leave out --write"));
    }
    if let Some(write) = &args.write {
        refuse_inputs(write, args.trust.inputs())?;
    }
    let place = mirror.place();
    if (args.write.is_some() || args.write_hosts.is_some())
        && !matches!(place, Some(Reference::Registry(_)))
    {
        let message = format!("hosts cannot read from {mirror}: it is not in a registry");
        let hint = "leave out --write and --write-hosts, and give them when you mirror the layout to a registry";
        bail!(Failure::usage(message).hint(hint));
    }
    let mut failures = Failures::default();
    let selected = Selection::of(&args, &list, session, &mut failures);
    selected.require_repository(&args, &failures)?;
    let (mut from, to) = args
        .registries
        .split(selected.references(), place.as_ref(), session)?;
    from.share(selected.references(), session)?;
    let reached = Reached::new(selected.references(), place.as_ref());
    let reader = from.client(session, args.trust.policy().await?).await?;
    let reader = match &list {
        MirrorList::Lock(lock) => reader.with_lock(lock.clone()),
        _ => args.lock.options.restrict(reader).await?,
    };
    let writer = to.client(session, TrustPolicy::anyone()).await?;
    let sources = selected
        .sources(&args, &list, &reader, &reached, &mut failures)
        .await?;
    let options = MirrorOptions::default()
        .compare_only(args.check || args.dry_run)
        .refuse_as_mirror(args.dry_run)
        .change_identity(args.change_identity);
    let mirrored = writer
        .mirror_from(&reader, &sources, &mirror, options)
        .await;
    let run = Run {
        args: &args,
        session,
        mirror,
        reached,
        failures,
    };
    let hosts = writer.mirror_hosts(&sources, &run.mirror).await?;
    run.finish(&list, mirrored, hosts).await
}

/// Refuses the name of a tar as the mirror. LIST accepts such names, but for the mirror, `carried.tar` would be the name of
/// a registry.
fn refuse_file(mirror: &str) -> Result<()> {
    let is_tar = mirror.ends_with(".tar") && !mirror.contains("://");
    let is_path = !mirror.contains('/') || mirror.starts_with(['.', '/']);
    if is_tar && (is_path || Path::new(mirror).is_file()) {
        let message = format!("{mirror} is the name of a file, not of a mirror");
        bail!(Failure::usage(message).hint(format!("write oci-archive://{mirror}")));
    }
    Ok(())
}

/// The references of a list. A reference without a tag selects tags of its repository.
struct Selection(Vec<MirrorSource>);

impl Selection {
    fn of(args: &Args, list: &MirrorList, session: &Session, failures: &mut Failures) -> Self {
        let selecting = args.tags.is_some() || args.newest.is_some();
        let both = &args.registries.both;
        let references = list.references(both, selecting, |message| session.warn(message));
        let mut sources: BTreeMap<String, MirrorSource> = BTreeMap::new();
        for Selected { written, source } in references {
            match source {
                Ok(source) => {
                    let name = source.reference.to_string();
                    let is_provider = sources.get(&name).is_some_and(|known| known.is_provider);
                    let is_provider = is_provider || source.is_provider;
                    sources.insert(name, source.provider(is_provider));
                }
                Err(error) => failures.add(written, &error),
            }
        }
        Self(sources.into_values().collect())
    }

    /// Fails if --tags or --newest is given, but every reference has a tag already.
    fn require_repository(&self, args: &Args, failures: &Failures) -> Result<()> {
        let is_selecting = args.tags.is_some() || args.newest.is_some();
        if !is_selecting || !failures.is_empty() || self.references().any(is_repository) {
            return Ok(());
        }
        let message = "--tags and --newest are for references without a tag, but each reference in LIST has a tag or a digest";
        let hint = "leave them out, or leave out the tag of a reference";
        bail!(Failure::usage(message).hint(hint))
    }

    fn references(&self) -> impl Iterator<Item = &Reference> {
        self.0.iter().map(|source| &source.reference)
    }

    /// Returns the sources. Each reference without a tag is replaced by references with the selected tags.
    async fn sources(
        self,
        args: &Args,
        list: &MirrorList,
        reader: &Client,
        reached: &Reached,
        failures: &mut Failures,
    ) -> Result<Vec<MirrorSource>> {
        let mut sources = Vec::new();
        if let MirrorList::Layout(layout) = list {
            sources = reader.mirrored_in(layout).await?;
            if sources.is_empty() {
                let message =
                    format!("there is nothing to mirror in {layout}: no manifest in it has a name");
                let hint = "copy a manifest without a name to a reference with `par copy`";
                bail!(Failure::new(ErrorKind::NotFound, message).hint(hint));
            }
        }
        for source in self.0 {
            let reference = &source.reference;
            if !is_repository(reference) {
                sources.push(source);
                continue;
            }
            match tags(args, reader, reference).await {
                Ok(tags) => {
                    for tag in tags {
                        let tagged = reference.with_tag(&tag).map_err(Error::from)?;
                        sources.push(MirrorSource::new(tagged).provider(source.is_provider));
                    }
                }
                Err(error) => failures.add(reference.to_string(), &reached.explain(error)),
            }
        }
        if sources.is_empty() && failures.is_empty() {
            let message = "there is nothing to mirror";
            bail!(Failure::usage(message).hint("give references to artifacts in a registry"));
        }
        if sources.len() > LIMIT {
            bail!(Failure::usage(format!(
                "cannot mirror {} references at once; the limit is {LIMIT}",
                sources.len()
            )));
        }
        Ok(sources)
    }
}

/// Returns whether a reference selects tags of its repository.
fn is_repository(reference: &Reference) -> bool {
    reference.tag().is_none() && reference.digest().is_none()
}

/// Returns the selected tags of a repository.
async fn tags(args: &Args, reader: &Client, repository: &Reference) -> Result<Vec<String>> {
    let most = args.newest.and_then(|most| usize::try_from(most).ok());
    let tags = reader.tags(repository).await?;
    let tags = newest(tags, args.tags.as_ref(), most);
    if tags.is_empty() {
        let message = format!("no tag of {repository} is selected");
        let hint = format!("`par tags {repository}` lists the tags");
        bail!(Failure::new(ErrorKind::NotFound, message).hint(hint));
    }
    Ok(tags)
}

/// One run of the command.
struct Run<'a> {
    args: &'a Args,
    session: &'a Session,
    mirror: MirrorDestination,
    reached: Reached,
    failures: Failures,
}

impl Run<'_> {
    async fn finish(
        mut self,
        list: &MirrorList,
        mirrored: Vec<Mirrored>,
        hosts: Vec<MirrorHosts>,
    ) -> Result<Answer> {
        let report = Report::new(&self.mirror, mirrored, hosts);
        let is_complete = self.failures.is_empty() && report.is_complete();
        let mut written = None;
        if let Some(path) = &self.args.write {
            if let (MirrorList::Deployment(deployment), true) = (list, is_complete) {
                let both = &self.args.registries.both;
                written = Some(files::write_list(path, deployment, &self.mirror, both).await?);
            } else {
                self.session
                    .warn("--write wrote nothing: not everything is in the mirror");
            }
        }
        if let Some(directory) = &self.args.write_hosts {
            files::write_hosts(directory, report.hosts(), &mut self.failures).await?;
        }
        let with_hosts = !self.args.check && !self.args.dry_run;
        self.session.note(&report.summary(!with_hosts));
        report.print_notes(self.session);
        let drift = self.args.check.then(|| report.drift()).flatten();
        let answer = report.answer(with_hosts).field("written", written);
        let explain = |error| self.reached.explain(self.args.lock.options.explain(error));
        Ok(report.end(answer, self.failures, drift, self.session, explain))
    }
}
