//! The digests of inputs, worked out side by side while they are packed.
//!
//! Each input is read twice: here, and to be compressed. Where processors have no instructions for
//! SHA-256, several contents hashed in lanes take half as long as one after another, and on many cores
//! packing would have to wait for the one that hashes. Checksums tell when the two did not read the same.

use std::cmp::Reverse;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::content::{Digest, LANES, LaneHasher, update_together};

use super::error::Error;
use super::input::{Input, Opened};

/// How much of each input is read at a time.
const PIECE: usize = 64 * 1024;

/// What an input has come to.
pub(super) struct Fingerprint {
    pub(super) digest: Digest,
    /// The CRC-32 of the same bytes.
    pub(super) checksum: u32,
}

/// Reads `inputs`, and gives what they came to in their order. Gives `None` soon after `stop` was set.
pub(super) fn fingerprints(
    inputs: &[&Input],
    stop: &AtomicBool,
) -> Result<Option<Vec<Fingerprint>>, Error> {
    let opened = inputs.iter().enumerate();
    let opened = opened.map(|(number, input)| Ok((number, input.open()?)));
    let mut waiting = opened.collect::<Result<Vec<_>, Error>>()?;
    // The largest first, so that the lanes come to their ends at about the same time.
    waiting.sort_by_key(|(_, opened)| Reverse(opened.size()));
    let mut waiting = waiting.into_iter().map(Lane::new);
    let mut lanes: Vec<_> = waiting.by_ref().take(LANES).collect();
    let mut done = Vec::with_capacity(inputs.len());
    while !lanes.is_empty() {
        if stop.load(Ordering::Relaxed) {
            return Ok(None);
        }
        for lane in &mut lanes {
            lane.filled = lane.opened.read(&mut lane.piece)?;
        }
        let pieces = lanes.iter_mut().map(|lane| {
            let piece = lane.piece.get(..lane.filled).unwrap_or_default();
            (&mut lane.hasher, piece)
        });
        update_together(pieces.collect());
        let ended = lanes.extract_if(.., |lane| lane.filled == 0);
        done.extend(ended.map(Lane::finish));
        lanes.extend(waiting.by_ref().take(LANES - lanes.len()));
    }
    done.sort_by_key(|(number, _)| *number);
    Ok(Some(done.into_iter().map(|(_, print)| print).collect()))
}

/// An input that is being read.
struct Lane<'a> {
    number: usize,
    opened: Opened<'a>,
    piece: Vec<u8>,
    /// How much of `piece` was read last.
    filled: usize,
    hasher: LaneHasher,
}

impl<'a> Lane<'a> {
    fn new((number, opened): (usize, Opened<'a>)) -> Self {
        Self {
            number,
            opened,
            piece: vec![0; PIECE],
            filled: 0,
            hasher: LaneHasher::new(),
        }
    }

    fn finish(self) -> (usize, Fingerprint) {
        let print = Fingerprint {
            digest: self.hasher.finish(),
            checksum: self.opened.checksum(),
        };
        (self.number, print)
    }
}
