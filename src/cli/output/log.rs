//! Prints the log of the library on standard error.

use std::fmt;

use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

use super::escape;

/// Prints the log on standard error: only warnings, and more with a higher `verbose`. Levels 0 and 1 are
/// messages for users, like the warnings of the command itself. Higher levels are complete records.
pub(crate) fn start(verbose: u8, quiet: bool) {
    let filter = match verbose {
        _ if quiet => "off",
        0 => "wasmcloud_par=warn",
        1 => "wasmcloud_par=info",
        2 => "wasmcloud_par=debug",
        _ => "wasmcloud_par=trace,reqwest=debug,hyper_util=debug,rustls=debug",
    };
    let log = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(filter))
        .with_writer(std::io::stderr);
    if verbose > 1 {
        let colour = std::io::IsTerminal::is_terminal(&std::io::stderr())
            && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        log.with_ansi(colour).init();
    } else {
        log.event_format(OneLine).init();
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
        let mut message = Message::default();
        event.record(&mut message);
        let level = match *event.metadata().level() {
            Level::ERROR => "error",
            Level::WARN => "warning",
            _ => "info",
        };
        writeln!(writer, "{level}: {}", escape::line(&message.0))
    }
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
