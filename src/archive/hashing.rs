//! Hashing on another thread than the one that reads.

use std::io;
use std::sync::mpsc::{channel, sync_channel};
use std::thread::{self, Builder};

use crate::content::{Algorithm, Digest, Hasher};

use super::error::Error;

/// How many bytes go to the hashing thread at a time.
const PIECE: usize = 256 * 1024;

/// How many pieces may wait to be hashed, so that neither thread waits for each step of the other.
const WAITING: usize = 4;

/// Returns the SHA-256 digest of the bytes that `next` reads, until it reads none.
///
/// On a processor without SHA extensions, hashing takes about twice as long as inflating. On a thread of
/// its own, it runs while the next piece is inflated.
///
/// # Errors
///
/// The errors of `next`, or [`Error::Thread`].
pub(super) fn digest_of(
    next: &mut dyn FnMut(&mut [u8]) -> Result<usize, Error>,
) -> Result<Digest, Error> {
    // Most small entries fit a single piece, which is not worth a thread.
    let mut first = vec![0; PIECE];
    let count = fill(&mut first, next)?;
    if count < PIECE {
        return Ok(Digest::of(first.get(..count).unwrap_or_default()));
    }
    thread::scope(|scope| {
        let (full, pieces) = sync_channel(WAITING);
        let (spent, empty) = channel();
        let hashing = Builder::new()
            .name("par-hash".to_owned())
            .spawn_scoped(scope, move || {
                let mut hasher = Hasher::new(Algorithm::Sha256);
                for (piece, count) in pieces {
                    let piece: Vec<u8> = piece;
                    hasher.update(piece.get(..count).unwrap_or_default());
                    // Sending fails after the reader has read its last piece, when it no longer needs buffers.
                    let _ = spent.send(piece);
                }
                hasher.finish()
            })
            .map_err(Error::Thread)?;
        let hand_over = || {
            let mut piece = (first, count);
            // Sending fails when the hashing thread has panicked. Joining the thread reports the panic.
            while piece.1 > 0 && full.send(piece).is_ok() {
                let mut buffer = empty.try_recv().unwrap_or_else(|_| vec![0; PIECE]);
                let count = fill(&mut buffer, next)?;
                piece = (buffer, count);
            }
            Ok(())
        };
        let handed_over = hand_over();
        drop(full);
        let digest = hashing
            .join()
            .map_err(|_| Error::Thread(io::Error::other("the hashing thread panicked")));
        handed_over.and(digest)
    })
}

/// Reads until `buffer` is full or nothing is left, and returns how many bytes were read.
fn fill(
    buffer: &mut [u8],
    next: &mut dyn FnMut(&mut [u8]) -> Result<usize, Error>,
) -> Result<usize, Error> {
    let mut filled = 0;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match next(rest)? {
            0 => break,
            count => filled += count,
        }
    }
    Ok(filled)
}

#[cfg(test)]
#[path = "tests/hashing.rs"]
mod tests;
