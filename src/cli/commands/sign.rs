//! `par sign`

use std::str::FromStr;

use anyhow::Result;
use clap::builder::NonEmptyStringValueParser;

use crate::archive::from_unix;
use crate::cli::arguments::{Date, EditArgs};
use crate::cli::output::Answer;
use crate::cli::session::Session;
use crate::cli::threads::blocking;

/// Sign an archive again with the same executables, and print its path
///
/// The archive is verified first. Claims that no option names stay unchanged, and the archive is replaced in
/// one step. An archive that has expired needs another --expires.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  par sign provider.par.gz --expires 90d
  par sign provider.par.gz --revision 7 --version 1.2.0")]
pub(crate) struct Args {
    #[command(flatten)]
    edit: EditArgs,
    /// The provider's name, for people. Default: unchanged
    #[arg(short, long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    name: Option<String>,
    /// The provider's vendor, for people. Default: unchanged
    #[arg(short, long, value_name = "VENDOR", value_parser = NonEmptyStringValueParser::new())]
    vendor: Option<String>,
    /// A number that grows with each release. Default: unchanged
    #[arg(short, long, visible_alias = "rev", value_name = "NUMBER")]
    revision: Option<i32>,
    /// The provider's version, any text. Default: unchanged
    #[arg(long, value_name = "VERSION", value_parser = NonEmptyStringValueParser::new())]
    version: Option<String>,
    /// When the archive expires: a date such as `2027-01-31` or `2027-01-31T12:00:00Z`, a span after signing
    /// such as `30d`, seconds since 1970, or `none` for never. Default: unchanged
    #[arg(long, value_name = "DATE|none")]
    expires: Option<NewDate>,
    /// When the archive becomes valid, in the formats of --expires, or `none` for at once. Default: unchanged
    #[arg(long, value_name = "DATE|none")]
    not_before: Option<NewDate>,
}

/// A new date, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct NewDate(Option<Date>);

impl FromStr for NewDate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "none" => Ok(Self(None)),
            date => match date.parse() {
                Ok(date) => Ok(Self(Some(date))),
                Err(reason) => Err(format!("{reason}, and not `none`")),
            },
        }
    }
}

pub(crate) async fn run(mut args: Args, session: &Session) -> Result<Answer> {
    args.edit = args.edit.read_streams().await?;
    let session = session.clone();
    blocking(move || {
        let edit = args.edit;
        let signed = edit.signing.signed_at()?;
        edit.edit(&session, |writer| {
            let metadata = writer.metadata_mut();
            metadata.name = args.name.or(metadata.name.take());
            metadata.version = args.version.or(metadata.version.take());
            metadata.revision = args.revision.or(metadata.revision);
            if let Some(vendor) = args.vendor {
                metadata.vendor = vendor;
            }
            if let Some(NewDate(date)) = args.expires {
                metadata.expires = date.map(|date| from_unix(date.seconds(signed)));
            }
            if let Some(NewDate(date)) = args.not_before {
                metadata.not_before = date.map(|date| from_unix(date.seconds(signed)));
            }
            Ok(())
        })
    })
    .await
}

#[cfg(test)]
#[path = "tests/sign.rs"]
mod tests;
