//! What can happen to a request, and to which.

use super::head::Head;

/// What happens to a request.
#[derive(Debug, Clone)]
pub(crate) enum Fault {
    None,
    /// It is answered like this, and the registry never hears of it.
    Answer {
        status: &'static str,
        headers: Vec<(&'static str, String)>,
        body: &'static str,
    },
    /// It is answered like this, with a body that never comes, for as long as anybody waits for it.
    Withhold(&'static str),
    /// The connection is reset when so many bytes of the request's body have passed.
    CutRequest(u64),
    /// The same, but the registry keeps what has arrived, as the specification wants it, and tells when
    /// it is asked.
    CutKeptRequest(u64),
    /// Nothing moves any more when so many bytes of the request's body have passed.
    StallRequest(u64),
    /// This byte of the request's body arrives changed.
    FlipRequest(u64),
    /// The registry does what it is asked to, and its answer is lost.
    LoseAnswer,
    /// The connection is reset when so many bytes of the answer's body have passed.
    CutAnswer(u64),
    StallAnswer(u64),
    FlipAnswer(u64),
    /// The answer ends well after so many bytes of its body, and has said so.
    ShortAnswer(u64),
    /// The connection ends after so many bytes of the answer's body; its length was said rightly.
    EndAnswer(u64),
    /// So many bytes follow the answer's body, whose length is not said.
    LongAnswer(u64),
    /// So many bytes of the answer's body pass in a second. Each request has a connection of its own, so
    /// this is what a connection gets.
    SlowAnswer(u64),
    /// The answer to a range holds the bytes from the start instead, and says that it does not.
    OtherRange,
    /// An answer with a body of so many bytes, as long as anybody reads it.
    Endless(u64),
    /// The head of the request, then that of the answer, are changed on their way.
    Edit(fn(&mut Head), fn(&mut Head)),
}

impl Fault {
    /// An answer without a body.
    pub(crate) fn status(status: &'static str) -> Self {
        Self::Answer {
            status,
            headers: Vec::new(),
            body: "",
        }
    }

    /// An answer with one header and no body.
    pub(crate) fn answer(status: &'static str, name: &'static str, value: impl ToString) -> Self {
        Self::Answer {
            status,
            headers: vec![(name, value.to_string())],
            body: "",
        }
    }

    /// The answer is changed on its way.
    pub(crate) fn edit(answer: fn(&mut Head)) -> Self {
        Self::Edit(|_| {}, answer)
    }
}

/// Which requests meet a fault: the first one of a method whose target contains a text, if nothing else
/// is said.
#[derive(Debug, Clone)]
pub(crate) struct Rule {
    method: &'static str,
    path: String,
    skip: usize,
    times: usize,
    fault: Fault,
}

impl Rule {
    /// The first request of this kind meets `fault`.
    pub(crate) fn on(method: &'static str, path: &str, fault: Fault) -> Self {
        Self {
            method,
            path: path.to_owned(),
            skip: 0,
            times: 1,
            fault,
        }
    }

    /// So many of them do.
    pub(crate) fn times(mut self, times: usize) -> Self {
        self.times = times;
        self
    }

    /// All of them do.
    pub(crate) fn always(self) -> Self {
        self.times(usize::MAX)
    }

    /// The first so many do not.
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
