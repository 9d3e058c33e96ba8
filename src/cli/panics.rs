//! Ending the command when a thread panics.

use std::panic::{PanicHookInfo, set_hook};
use std::{process, thread};

use crate::archive::WIT_THREAD;
use crate::cli::output::{Failure, Printer, Problem};
use crate::content::ErrorKind;

/// Makes a panic of any thread end the process with one error, as other errors end it. The executable that is released
/// does not unwind.
pub(crate) fn report(printer: &Printer) {
    let printer = printer.clone();
    set_hook(Box::new(move |panic| {
        let problem = Problem::of(&failure(panic).into());
        let code = problem.code;
        printer.problem(problem);
        process::exit(code.into());
    }));
}

fn failure(panic: &PanicHookInfo<'_>) -> Failure {
    if thread::current().name() == Some(WIT_THREAD) {
        let message = "cannot read the WIT: the parser failed on it";
        return Failure::new(ErrorKind::NotVerified, message)
            .hint("encode the world again, with `par build` or `wash build`");
    }
    let said = panic.payload_as_str().unwrap_or_default();
    let place = panic.location().map(ToString::to_string);
    let message = format!("par has a fault: {said} ({})", place.unwrap_or_default());
    Failure::new(ErrorKind::Other, message)
        .hint("report this message with the command that you ran")
}
