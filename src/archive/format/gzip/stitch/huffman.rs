//! Bits and Huffman codes as deflate packs them (RFC 1951, sections 3.1.1 and 3.2.2).

use std::io;

/// The error of bytes that are not a deflate stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a deflate stream: {0}")]
pub(in crate::archive::format::gzip) struct Malformed(
    pub(in crate::archive::format::gzip) &'static str,
);

impl From<Malformed> for io::Error {
    fn from(malformed: Malformed) -> Self {
        Self::new(io::ErrorKind::InvalidData, malformed)
    }
}

const TRUNCATED: Malformed = Malformed("it ends too early");

/// Reads bits. The lowest bit of a byte is the first.
pub(super) struct Bits<'a> {
    bytes: &'a [u8],
    /// The position of the first byte whose bits are not counted in `count`.
    next: usize,
    buffer: u64,
    /// How many bits of `buffer` are valid. Higher bits may already have the values of the bytes that follow.
    count: u32,
}

impl<'a> Bits<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            next: 0,
            buffer: 0,
            count: 0,
        }
    }

    pub(super) fn position(&self) -> usize {
        self.next * 8 - self.count as usize
    }

    /// Makes at least 56 bits available, or all bits that are left.
    #[inline(always)]
    pub(super) fn refill(&mut self) {
        let rest = self.bytes.get(self.next..).unwrap_or_default();
        if let Some(word) = rest.first_chunk() {
            self.buffer |= u64::from_le_bytes(*word) << self.count;
            self.next += (63 - self.count as usize) / 8;
            self.count |= 56;
        } else {
            for byte in rest.iter().take((63 - self.count as usize) / 8) {
                self.buffer |= u64::from(*byte) << self.count;
                self.next += 1;
                self.count += 8;
            }
        }
    }

    /// Returns the next bits. After the end of the input, they can have any value.
    #[inline(always)]
    pub(super) fn peek(&self) -> u64 {
        self.buffer
    }

    #[inline(always)]
    pub(super) fn consume(&mut self, count: u32) -> Result<(), Malformed> {
        self.count = self.count.checked_sub(count).ok_or(TRUNCATED)?;
        self.buffer >>= count;
        Ok(())
    }

    /// Reads a number of at most 32 bits.
    pub(super) fn take(&mut self, count: u32) -> Result<usize, Malformed> {
        self.refill();
        let value = self.buffer & ((1 << count) - 1);
        self.consume(count)?;
        Ok(value as usize)
    }

    /// Goes to the next whole byte, and then skips `bytes` bytes.
    pub(super) fn align_and_skip(&mut self, bytes: usize) -> Result<(), Malformed> {
        let next = self.position().div_ceil(8) + bytes;
        if next > self.bytes.len() {
            return Err(TRUNCATED);
        }
        *self = Self {
            bytes: self.bytes,
            next,
            buffer: 0,
            count: 0,
        };
        Ok(())
    }
}

/// The length of the longest code, in bits.
const LONGEST: usize = 15;

/// The most symbols that an alphabet has.
const SYMBOLS: usize = 288;

/// How far to go for a symbol. 0 is for a code that is not in a table. Else `symbol << 16 | bits of the code << 12 |
/// flags | bits of the code and of the number after it`.
pub(super) type Step = u32;

/// The flag of a symbol after which a distance follows.
pub(super) const DISTANCE_FOLLOWS: Step = 1 << 11;

/// The flag of the symbol that ends a block.
pub(super) const BLOCK_ENDS: Step = 1 << 10;

/// The number of slots in a table. Codes of up to 11 bits are found in one step.
pub(super) const SLOTS: usize = 1 << 11;

// Adding this flag to a position in the table of the literals gives the same position in the table of the distances.
const _: () = assert!(DISTANCE_FOLLOWS as usize == SLOTS);

pub(super) fn size(step: Step) -> u32 {
    step & 0xff
}

fn code_size(step: Step) -> u32 {
    step >> 12 & 0xf
}

pub(super) struct Code {
    table: [Step; SLOTS],
    /// The number of codes of each length.
    counts: [u16; LONGEST + 1],
    /// The symbols in the order of their codes.
    symbols: [u16; SYMBOLS],
    /// Returns the flags of a symbol, and how many bits of a number follow its code.
    meaning: fn(u16) -> Option<Step>,
}

impl Code {
    pub(super) fn new(meaning: fn(u16) -> Option<Step>) -> Self {
        Self {
            table: [0; SLOTS],
            counts: [0; LONGEST + 1],
            symbols: [0; SYMBOLS],
            meaning,
        }
    }

    /// Returns the step for every value of the next bits.
    pub(super) fn table(&self) -> &[Step; SLOTS] {
        &self.table
    }

    /// Defines the code by the length of every symbol's code: 0 for a symbol that does not occur.
    pub(super) fn define(&mut self, lengths: &[u8]) -> Result<(), Malformed> {
        const WRONG: Malformed = Malformed("a code's lengths are wrong");
        self.counts = [0; LONGEST + 1];
        for length in lengths.iter().filter(|length| **length > 0) {
            *self.counts.get_mut(usize::from(*length)).ok_or(WRONG)? += 1;
        }
        // The first code of each length, and its position among all codes.
        let mut codes = [0_u32; LONGEST + 1];
        let mut ranks = [0_u16; LONGEST + 1];
        let (mut code, mut rank) = (0, 0);
        for (length, count) in self.counts.iter().enumerate() {
            code <<= 1;
            if let (Some(first), Some(place)) = (codes.get_mut(length), ranks.get_mut(length)) {
                (*first, *place) = (code, rank);
            }
            code += u32::from(*count);
            rank += count;
            if code > 1 << length {
                return Err(WRONG);
            }
        }
        self.table.fill(0);
        for (symbol, length) in (0_u16..).zip(lengths) {
            let index = usize::from(*length);
            let (Some(code), Some(rank)) = (codes.get_mut(index), ranks.get_mut(index)) else {
                return Err(WRONG);
            };
            if index == 0 {
                continue;
            }
            *self.symbols.get_mut(usize::from(*rank)).ok_or(WRONG)? = symbol;
            *rank += 1;
            // The highest bit of a code comes first. In every other value, the lowest bit comes first.
            let first = (code.reverse_bits() >> (32 - index)) as usize;
            *code += 1;
            if 1 << index > SLOTS {
                continue;
            }
            let step = self.step(symbol, index as u32);
            for slot in self.table.iter_mut().skip(first).step_by(1 << index) {
                *slot = step;
            }
        }
        Ok(())
    }

    /// Joins steps, so that one step consumes several literals and the symbol after them, as far as their bits fit in a
    /// slot.
    pub(super) fn join(&mut self) {
        for slot in 0..SLOTS {
            let step = self.table.get(slot).copied().unwrap_or_default();
            if step == 0 || step & (DISTANCE_FOLLOWS | BLOCK_ENDS) != 0 {
                continue;
            }
            // The next step has been joined already, because its slot is not above this one.
            let length = code_size(step);
            let next = self.table.get(slot >> length).copied().unwrap_or_default();
            let fits = 1 << (length + code_size(next)) <= SLOTS;
            if let Some(step) = self.table.get_mut(slot)
                && next != 0
                && fits
            {
                *step = next + (length << 12 | length);
            }
        }
    }

    fn step(&self, symbol: u16, length: u32) -> Step {
        // The fixed code has codes for symbols that cannot occur. These codes get no entry in the table.
        (self.meaning)(symbol).map_or(0, |meaning| {
            u32::from(symbol) << 16 | length << 12 | (length + meaning)
        })
    }

    /// Consumes a symbol and returns it. 28 bits must be available.
    pub(super) fn decode(&self, bits: &mut Bits<'_>) -> Result<u32, Malformed> {
        let slot = bits.peek() as usize & (SLOTS - 1);
        let step = match self.table.get(slot) {
            Some(step) if *step != 0 => *step,
            _ => self.find(bits.peek())?,
        };
        bits.consume(size(step))?;
        Ok(step >> 16)
    }

    /// Finds a code bit by bit. Codes of one length are consecutive numbers.
    #[cold]
    pub(super) fn find(&self, mut bits: u64) -> Result<Step, Malformed> {
        const UNKNOWN: Malformed = Malformed("a code has no meaning");
        let (mut code, mut first, mut rank) = (0_u32, 0_u32, 0_u32);
        for (length, count) in (0_u32..).zip(&self.counts).skip(1) {
            code = code << 1 | (bits & 1) as u32;
            bits >>= 1;
            first <<= 1;
            let count = u32::from(*count);
            if let Some(index) = code.checked_sub(first)
                && index < count
            {
                let symbol = self.symbols.get((rank + index) as usize).ok_or(UNKNOWN)?;
                return match self.step(*symbol, length) {
                    0 => Err(UNKNOWN),
                    step => Ok(step),
                };
            }
            first += count;
            rank += count;
        }
        Err(UNKNOWN)
    }
}
