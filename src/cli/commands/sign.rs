//! `par sign`

use std::str::FromStr;

use anyhow::Result;

use crate::cli::arguments::{Date, EditArgs};
use crate::cli::output::Answer;
use crate::cli::session::Session;
use crate::cli::threads::blocking;

/// Sign an archive again over the same content, and print its path
///
/// What is not named stays as it is. The archive is verified first and is replaced in one step. One
/// that has expired can be signed again when it gets another --expires.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    edit: EditArgs,
    /// The provider's name, for people. Default: as it is
    #[arg(short, long, value_name = "NAME")]
    name: Option<String>,
    /// Who makes the provider, for people. Default: as it is
    #[arg(short, long, value_name = "VENDOR")]
    vendor: Option<String>,
    /// A number that grows from release to release. Default: as it is
    #[arg(short, long, visible_alias = "rev", value_name = "NUMBER")]
    revision: Option<i32>,
    /// The provider's version, free text. Default: as it is
    #[arg(long, value_name = "VERSION")]
    version: Option<String>,
    /// Until when the archive is valid: a date such as `2027-01-31` or `2027-01-31T12:00:00Z`, a span such as
    /// `30d` from when it is signed, seconds since 1970, or `none` for ever. Default: as it is
    #[arg(long, value_name = "DATE|none")]
    expires: Option<Another>,
    /// From when the archive is valid, in the same ways, or `none` for at once. Default: as it is
    #[arg(long, value_name = "DATE|none")]
    not_before: Option<Another>,
}

/// Another date than before, or none any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Another(Option<Date>);

impl FromStr for Another {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "none" => Ok(Self(None)),
            date => match date.parse() {
                Ok(date) => Ok(Self(Some(date))),
                Err(reason) => Err(format!("{reason}, nor `none`")),
            },
        }
    }
}

pub(crate) async fn run(args: Args, session: &Session) -> Result<Answer> {
    let session = session.clone();
    blocking(move || {
        let edit = args.edit;
        let signed = edit.signed_at()?;
        edit.edit(&session, |writer| {
            let metadata = writer.metadata_mut();
            metadata.name = args.name.or(metadata.name.take());
            metadata.version = args.version.or(metadata.version.take());
            metadata.revision = args.revision.or(metadata.revision);
            if let Some(vendor) = args.vendor {
                metadata.vendor = vendor;
            }
            if let Some(Another(date)) = args.expires {
                metadata.expires = date.map(|date| date.seconds(signed));
            }
            if let Some(Another(date)) = args.not_before {
                metadata.not_before = date.map(|date| date.seconds(signed));
            }
            Ok(())
        })
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_can_be_taken_away() {
        assert_eq!("none".parse(), Ok(Another(None)));
        assert_eq!("17".parse(), Ok(Another(Some(Date::At(17)))));
        assert!("never".parse::<Another>().is_err());
    }
}
