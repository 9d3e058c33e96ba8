//! The commands, a file for each: its arguments and one call into the library.

mod annotations;
mod attach;
mod attest;
mod build;
mod build_push;
mod cache;
mod completions;
mod copy;
mod create;
mod delete;
mod diff;
mod discover;
mod discovered;
mod doctor;
mod export;
mod extract;
mod fetch;
mod fetch_locked;
mod identity;
mod init;
mod insert;
mod inspect;
mod keys;
mod left_out;
mod lock;
mod login;
mod logout;
mod manual;
mod mirror;
mod named_key;
mod packing;
mod pinned;
mod prune_tags;
mod pull;
mod push;
mod remove;
mod resolve;
mod rotation;
mod sbom;
mod sign;
mod tag;
mod tags;
mod trust;
mod trust_check;
mod verify;

use anyhow::Result;
use clap::Subcommand;

use super::output::Answer;
use super::session::Session;

#[derive(Subcommand)]
pub(crate) enum Command {
    Init(init::Args),
    Build(build::Args),
    Keys(keys::Args),
    Create(create::Args),
    Insert(insert::Args),
    Remove(remove::Args),
    Sign(sign::Args),
    Inspect(inspect::Args),
    Verify(verify::Args),
    Diff(diff::Args),
    Extract(extract::Args),
    Sbom(sbom::Args),
    Push(push::Args),
    Pull(pull::Args),
    Fetch(fetch::Args),
    Attach(attach::Args),
    #[cfg_attr(not(feature = "sigstore"), command(hide = true))]
    Attest(attest::Args),
    Discover(discover::Args),
    Copy(copy::Args),
    Mirror(mirror::Args),
    Export(export::Args),
    Cache(cache::Args),
    Lock(lock::Args),
    Login(login::Args),
    Logout(logout::Args),
    Trust(trust::Args),
    Tags(tags::Args),
    Resolve(resolve::Args),
    Tag(tag::Args),
    Delete(delete::Args),
    PruneTags(prune_tags::Args),
    Doctor(doctor::Args),
    Completions(completions::Args),
    Manual(manual::Args),
}

impl Command {
    /// Runs the command. `par` builds the definition of the whole command line, which completions and
    /// manual pages are made from.
    pub(crate) async fn run(self, session: &Session, par: fn() -> clap::Command) -> Result<Answer> {
        match self {
            Self::Init(args) => init::run(args, session).await,
            Self::Build(args) => build::run(args, session).await,
            Self::Keys(args) => keys::run(args, session).await,
            Self::Create(args) => create::run(args, session).await,
            Self::Insert(args) => insert::run(args, session).await,
            Self::Remove(args) => remove::run(args, session).await,
            Self::Sign(args) => sign::run(args, session).await,
            Self::Inspect(args) => inspect::run(args, session).await,
            Self::Verify(args) => verify::run(args, session).await,
            Self::Diff(args) => diff::run(args, session).await,
            Self::Extract(args) => extract::run(args, session).await,
            Self::Sbom(args) => sbom::run(args, session).await,
            Self::Push(args) => push::run(args, session).await,
            Self::Pull(args) => pull::run(args, session).await,
            Self::Fetch(args) => fetch::run(args, session).await,
            Self::Attach(args) => attach::run(args, session).await,
            Self::Attest(args) => attest::run(args, session).await,
            Self::Discover(args) => discover::run(args, session).await,
            Self::Copy(args) => copy::run(args, session).await,
            Self::Mirror(args) => mirror::run(args, session).await,
            Self::Export(args) => export::run(args, session).await,
            Self::Cache(args) => cache::run(args, session).await,
            Self::Lock(args) => lock::run(args, session).await,
            Self::Login(args) => login::run(args, session).await,
            Self::Logout(args) => logout::run(args, session).await,
            Self::Trust(args) => trust::run(args, session).await,
            Self::Tags(args) => tags::run(args, session).await,
            Self::Resolve(args) => resolve::run(args, session).await,
            Self::Tag(args) => tag::run(args, session).await,
            Self::Delete(args) => delete::run(args, session).await,
            Self::PruneTags(args) => prune_tags::run(args, session).await,
            Self::Doctor(args) => doctor::run(args, session).await,
            Self::Completions(args) => completions::run(args, par()),
            Self::Manual(args) => manual::run(args, par()).await,
        }
    }
}
