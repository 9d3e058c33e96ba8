//! Faults, and the requests that meet them.

use super::head::Head;

/// A fault that a request meets.
#[derive(Debug, Clone)]
pub(crate) enum Fault {
    None,
    /// The proxy answers the request itself; the registry never gets it.
    Answer {
        status: &'static str,
        headers: Vec<(&'static str, String)>,
        body: &'static str,
    },
    /// The proxy answers with this status and a body that never comes, until the client gives up.
    Withhold(&'static str),
    /// The connection is reset after this many bytes of the request's body.
    CutRequest(u64),
    /// The connection is reset after this many bytes of the request's body. The registry keeps them, as the
    /// specification demands, and says so when it is asked.
    CutKeptRequest(u64),
    /// The connection stalls after this many bytes of the request's body.
    StallRequest(u64),
    /// The byte at this offset of the request's body is changed.
    FlipRequest(u64),
    /// The registry gets the request, and its answer is lost.
    LoseAnswer,
    /// The connection is reset after this many bytes of the answer's body.
    CutAnswer(u64),
    /// The connection stalls after this many bytes of the answer's body.
    StallAnswer(u64),
    /// The byte at this offset of the answer's body is changed.
    FlipAnswer(u64),
    /// The answer has only this many bytes, and a matching `Content-Length`.
    ShortAnswer(u64),
    /// The connection ends after this many bytes of the answer's body. The `Content-Length` is right.
    EndAnswer(u64),
    /// This many bytes follow the answer's body, which has no `Content-Length`.
    LongAnswer(u64),
    /// This many bytes of the answer's body pass in a second. Each request has a connection of its own, so this
    /// limits a connection.
    SlowAnswer(u64),
    /// The answer to a range has the bytes from the start of the content, with the `Content-Range` of the
    /// request.
    OtherRange,
    /// The proxy answers with a body of this many bytes, as long as the client reads it.
    Endless(u64),
    /// The first function changes the head of the request, the second that of the answer.
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

    /// Makes a change of the answer's head.
    pub(crate) fn edit(answer: fn(&mut Head)) -> Self {
        Self::Edit(|_| {}, answer)
    }
}

/// The requests that meet a fault. By default it is the first one with a method whose target contains a text.
#[derive(Debug, Clone)]
pub(crate) struct Rule {
    method: &'static str,
    path: String,
    skip: usize,
    times: usize,
    fault: Fault,
}

impl Rule {
    /// Makes the first request with this method and path meet `fault`.
    pub(crate) fn on(method: &'static str, path: &str, fault: Fault) -> Self {
        Self {
            method,
            path: path.to_owned(),
            skip: 0,
            times: 1,
            fault,
        }
    }

    /// Makes this many of the requests meet the fault.
    pub(crate) fn times(mut self, times: usize) -> Self {
        self.times = times;
        self
    }

    /// Makes all of the requests meet the fault.
    pub(crate) fn always(self) -> Self {
        self.times(usize::MAX)
    }

    /// Lets the first `skip` requests pass.
    pub(crate) fn after(mut self, skip: usize) -> Self {
        self.skip = skip;
        self
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
