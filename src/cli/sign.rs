//! `par sign`

use std::str::FromStr;

use anyhow::Result;

use super::editing::EditOptions;
use super::output::Answer;
use super::session::{Session, blocking};

/// Sign an archive again over the same content, and print its path
///
/// What is not named stays as it is. The archive is verified first and is replaced in one step. One
/// that has expired can be signed again when it gets another --expires.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    edit: EditOptions,
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
    /// Until when the archive is valid, in seconds since 1970, or `none` for ever. Default: as it is
    #[arg(long, value_name = "SECONDS|none")]
    expires: Option<Date>,
    /// From when the archive is valid, in seconds since 1970, or `none` for at once. Default: as it is
    #[arg(long, value_name = "SECONDS|none")]
    not_before: Option<Date>,
}

/// A date that can be taken away again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Date(Option<u64>);

impl FromStr for Date {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "none" => Ok(Self(None)),
            seconds => match seconds.parse() {
                Ok(seconds) => Ok(Self(Some(seconds))),
                Err(_) => Err("neither whole seconds since 1970 nor `none`"),
            },
        }
    }
}

pub(crate) async fn run(args: Args, session: &Session) -> Result<Answer> {
    let session = session.clone();
    blocking(move || {
        let edit = args.edit;
        edit.edit(&session, |writer| {
            let metadata = writer.metadata_mut();
            metadata.name = args.name.or(metadata.name.take());
            metadata.version = args.version.or(metadata.version.take());
            metadata.revision = args.revision.or(metadata.revision);
            if let Some(vendor) = args.vendor {
                metadata.vendor = vendor;
            }
            if let Some(Date(expires)) = args.expires {
                metadata.expires = expires;
            }
            if let Some(Date(not_before)) = args.not_before {
                metadata.not_before = not_before;
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
    fn a_date_is_a_number_or_none() {
        assert_eq!("17".parse(), Ok(Date(Some(17))));
        assert_eq!("none".parse(), Ok(Date(None)));
        for text in ["", "tomorrow", "-1", "1.5"] {
            assert!(text.parse::<Date>().is_err(), "{text}");
        }
    }
}
