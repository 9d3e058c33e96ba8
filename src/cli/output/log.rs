//! Prints the log of the library on standard error, and keeps its warnings.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io::{self, Write};

use clap::ValueEnum;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::filter::{FilterExt, filter_fn};
use tracing_subscriber::fmt::format::{DefaultFields, Format, Json, JsonFields, Writer};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, Registry};

use super::escape;
use super::format::requested_json;
use super::secrets::hide_secrets;
use super::warnings::Warnings;

/// The environment variable for `--log-format`.
pub(crate) const LOG_FORMAT: &str = "PAR_LOG_FORMAT";

/// The format of standard error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum LogFormat {
    /// Text for people
    #[default]
    Text,
    /// One JSON object a line, with `timestamp`, `level` and `message`
    Json,
}

impl LogFormat {
    /// Returns the format that a command line requests although it cannot be parsed. `variable` is the value of
    /// [`LOG_FORMAT`].
    pub(crate) fn requested_in(arguments: &[OsString], variable: Option<&OsStr>) -> Self {
        if requested_json(arguments, &["--log-format"]).unwrap_or(variable == Some("json".as_ref()))
        {
            Self::Json
        } else {
            Self::Text
        }
    }
}

/// Prints the log on standard error: warnings, and more with a higher `verbose`. In text, 0 and 1 print messages like
/// those of the command itself, and higher values print complete records. All warnings are added to `warnings`, even if
/// `quiet` hides them.
pub(crate) fn start(verbose: u8, quiet: bool, format: LogFormat, warnings: Warnings) {
    let filter = match verbose {
        _ if quiet => "off",
        0 => "wasmcloud_par=warn",
        1 => "wasmcloud_par=info",
        2 => "wasmcloud_par=debug",
        _ => "wasmcloud_par=trace,reqwest=debug,hyper_util=debug,rustls=debug",
    };
    // A record in JSON names its operation, so spans are enabled at every level.
    let operations = filter_fn(move |about| {
        format == LogFormat::Json && about.is_span() && about.target().starts_with("wasmcloud_par")
    });
    let filter = EnvFilter::new(filter).or(operations);
    let printing = printing(verbose, format).with_filter(filter);
    let keeping = Keeping(warnings).with_filter(EnvFilter::new("wasmcloud_par=warn"));
    tracing_subscriber::registry()
        .with(printing)
        .with(keeping)
        .init();
}

/// Returns the layer that prints records.
fn printing(verbose: u8, format: LogFormat) -> Box<dyn Layer<Registry> + Send + Sync> {
    let log = tracing_subscriber::fmt::layer().with_writer(|| Hiding);
    match format {
        LogFormat::Json => {
            let json = Format::default().json().flatten_event(true);
            let fields = JsonFields::new();
            Box::new(log.event_format(Escaped(json)).fmt_fields(fields))
        }
        LogFormat::Text if verbose > 1 => {
            let colour = std::io::IsTerminal::is_terminal(&std::io::stderr())
                && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
            Box::new(log.with_ansi(colour))
        }
        LogFormat::Text => Box::new(log.event_format(OneLine).fmt_fields(DefaultFields::new())),
    }
}

/// Writes records to standard error without the secrets in them. Each record is written at once.
struct Hiding;

impl Write for Hiding {
    fn write(&mut self, record: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(record);
        io::stderr().write_all(hide_secrets(&text).as_bytes())?;
        Ok(record.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

/// Formats an event as `warning: MESSAGE`, on one line.
struct OneLine;

impl<S, N> FormatEvent<S, N> for OneLine
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        _: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let level = match *event.metadata().level() {
            Level::ERROR => "error",
            Level::WARN => "warning",
            _ => "info",
        };
        writeln!(writer, "{level}: {}", escape::line(&message(event)))
    }
}

/// Formats an event as a JSON object on one line, without characters that a terminal would execute.
struct Escaped(Format<Json>);

impl<S, N> FormatEvent<S, N> for Escaped
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut line = String::new();
        self.0
            .format_event(context, Writer::new(&mut line), event)?;
        writeln!(writer, "{}", escape::json(line.trim_end()))
    }
}

/// Keeps the warnings of the library for the answer of the command.
struct Keeping(Warnings);

impl<S: Subscriber> Layer<S> for Keeping {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        self.0.add(&hide_secrets(&message(event)));
    }
}

fn message(event: &Event<'_>) -> String {
    let mut message = Message::default();
    event.record(&mut message);
    message.0
}

/// The message of an event. The other fields are for programs.
#[derive(Default)]
struct Message(String);

impl Visit for Message {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            self.0 = format!("{value:?}");
        }
    }
}

#[cfg(test)]
#[path = "tests/log.rs"]
mod tests;
