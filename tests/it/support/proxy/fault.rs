//! Faults, and the rules that choose the requests for them.

use std::sync::{Arc, Barrier};

use super::head::Head;

/// What the proxy does to a request.
#[derive(Debug, Clone)]
pub(crate) enum Fault {
    None,
    /// The proxy answers with these bytes, without asking the registry.
    Answer {
        status: &'static str,
        headers: Vec<(&'static str, String)>,
        body: &'static str,
    },
    /// The proxy answers with this head, and sends no body until the client goes away.
    Withhold(&'static str),
    /// The proxy resets the connection after this many bytes of the request's body.
    CutRequest(u64),
    /// The proxy resets the connection after this many bytes of the request's body. The registry keeps
    /// these bytes, as the specification says, and reports them when the client asks.
    CutKeptRequest(u64),
    /// The connection stalls after this many bytes of the request's body.
    StallRequest(u64),
    /// A request with a body of more bytes than this is refused before its body is read: with 413, or without an
    /// answer. The proxy resets the connection.
    Limit {
        bytes: u64,
        answers: bool,
    },
    /// The proxy redirects the request to the same path at another host and port.
    Redirect {
        status: &'static str,
        place: String,
    },
    /// The proxy answers requests without an `Authorization` with this status.
    Unauthorized(&'static str),
    /// The proxy answers requests with an `Authorization` with this status.
    Authorized(&'static str),
    /// The proxy changes this byte of the request's body.
    FlipRequest(u64),
    /// The registry handles the request, and the proxy drops the answer.
    LoseAnswer,
    /// The proxy resets the connection after this many bytes of the answer's body.
    CutAnswer(u64),
    /// The connection stalls after this many bytes of the answer's body.
    StallAnswer(u64),
    /// The byte at this offset of the answer's body is changed.
    FlipAnswer(u64),
    /// The proxy cuts the answer's body to this many bytes, and the head has the length of the cut body.
    ShortAnswer(u64),
    /// The connection ends after this many bytes of the answer's body, whose head has the full length.
    EndAnswer(u64),
    /// This many bytes follow the answer's body, whose head has no length.
    LongAnswer(u64),
    /// The request waits at the barrier, and goes to the registry together with the other requests there.
    Together(Arc<Barrier>),
    /// The answer to a range has the head of that range and the bytes from the start of the blob.
    OtherRange,
    /// The proxy answers with a body of this many bytes, until the client goes away.
    Endless(u64),
    /// The functions change the head of the request and the head of the answer.
    Edit(fn(&mut Head), fn(&mut Head)),
}

impl Fault {
    /// Makes an answer without a body.
    pub(crate) fn status(status: &'static str) -> Self {
        Self::Answer {
            status,
            headers: Vec::new(),
            body: "",
        }
    }

    /// Makes an answer with one header and no body.
    pub(crate) fn answer(status: &'static str, name: &'static str, value: impl ToString) -> Self {
        Self::Answer {
            status,
            headers: vec![(name, value.to_string())],
            body: "",
        }
    }

    /// Changes the head of the answer.
    pub(crate) fn edit(answer: fn(&mut Head)) -> Self {
        Self::Edit(|_| {}, answer)
    }
}

/// Which requests meet a fault. The default is the first request of a method whose target contains a
/// text.
#[derive(Debug, Clone)]
pub(crate) struct Rule {
    method: &'static str,
    path: String,
    skip: usize,
    times: usize,
    fault: Fault,
}

impl Rule {
    /// The first matching request meets `fault`.
    pub(crate) fn on(method: &'static str, path: &str, fault: Fault) -> Self {
        Self {
            method,
            path: path.to_owned(),
            skip: 0,
            times: 1,
            fault,
        }
    }

    /// This many matching requests meet the fault.
    pub(crate) fn times(mut self, times: usize) -> Self {
        self.times = times;
        self
    }

    /// All matching requests meet the fault.
    pub(crate) fn always(self) -> Self {
        self.times(usize::MAX)
    }

    /// This many matching requests pass before one meets the fault.
    pub(crate) fn after(mut self, skip: usize) -> Self {
        self.skip = skip;
        self
    }

    /// Returns whether requests stall because of this rule.
    pub(crate) fn stalls(&self) -> bool {
        use Fault::{StallAnswer, StallRequest, Withhold};
        matches!(self.fault, StallRequest(_) | StallAnswer(_) | Withhold(_))
    }

    pub(super) fn hit(&mut self, request: &Head) -> Option<Fault> {
        if request.method() != self.method || !request.target().contains(&self.path) {
            return None;
        }
        if self.skip > 0 {
            self.skip -= 1;
            return None;
        }
        self.times = self.times.checked_sub(1)?;
        Some(self.fault.clone())
    }
}
