//! Walking over a whole deflate stream, and turning it into a piece of a longer stream.

use super::huffman::{BLOCK_ENDS, Bits, Code, DISTANCE_FOLLOWS, Malformed, SLOTS, Step, size};

/// The most bytes by which [`Stitcher::open`] makes a stream longer.
pub(in crate::archive::format::gzip) const GROWTH: usize = 5;

/// The order in which the lengths of the code length code come (RFC 1951, section 3.2.7).
const ORDER: [usize; 19] = [
    16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15,
];

/// Turns whole deflate streams into pieces of one stream. It keeps its tables from stream to stream.
pub(in crate::archive::format::gzip) struct Stitcher {
    literals: Box<Code>,
    distances: Box<Code>,
    lengths: Box<Code>,
    /// The table of the literals, followed by the table of the distances.
    steps: Box<[Step; 2 * SLOTS]>,
}

/// The positions at which a stream has to be changed, in bits.
struct Seams {
    /// The position of the flag of the last block.
    final_flag: usize,
    /// The position of the end of the last block.
    end: usize,
}

impl Stitcher {
    pub(in crate::archive::format::gzip) fn new() -> Self {
        Self {
            literals: Box::new(Code::new(literal)),
            distances: Box::new(Code::new(distance)),
            lengths: Box::new(Code::new(|_| Some(0))),
            steps: Box::new([0; 2 * SLOTS]),
        }
    }

    /// Changes a whole stream so that another stream can follow it. No block of the stream has the flag of the last
    /// block any more, and an empty stored block ends the stream at a whole byte, as after a full flush of zlib.
    pub(in crate::archive::format::gzip) fn open(
        &mut self,
        stream: &mut Vec<u8>,
    ) -> Result<(), Malformed> {
        let seams = self.walk(stream)?;
        let flagged = stream.get_mut(seams.final_flag / 8);
        *flagged.ok_or(Malformed("no last block"))? &= !(1 << (seams.final_flag % 8));
        let used = match seams.end % 8 {
            0 => 8,
            used => used,
        };
        if let Some(last) = stream.last_mut() {
            *last &= u8::MAX >> (8 - used);
        }
        // The header of a stored block that is not the last one is three zero bits. More zeros fill the byte.
        if used > 5 {
            stream.push(0);
        }
        stream.extend_from_slice(&[0, 0, 0xff, 0xff]);
        Ok(())
    }

    fn walk(&mut self, stream: &[u8]) -> Result<Seams, Malformed> {
        let mut bits = Bits::new(stream);
        loop {
            let start = bits.position();
            let last = bits.take(1)? == 1;
            match bits.take(2)? {
                0 => stored(&mut bits)?,
                1 => {
                    self.fixed()?;
                    self.symbols(&mut bits)?;
                }
                2 => {
                    self.dynamic(&mut bits)?;
                    self.symbols(&mut bits)?;
                }
                _ => return Err(Malformed("a block has no type")),
            }
            if last {
                let end = bits.position();
                if end.div_ceil(8) != stream.len() {
                    return Err(Malformed("something follows its end"));
                }
                return Ok(Seams {
                    final_flag: start,
                    end,
                });
            }
        }
    }

    fn fixed(&mut self) -> Result<(), Malformed> {
        let mut lengths = [8; 288];
        for (symbol, length) in lengths.iter_mut().enumerate() {
            *length = match symbol {
                0..144 | 280.. => 8,
                144..256 => 9,
                _ => 7,
            };
        }
        self.literals.define(&lengths)?;
        self.distances.define(&[5; 30])
    }

    fn dynamic(&mut self, bits: &mut Bits<'_>) -> Result<(), Malformed> {
        const WRONG: Malformed = Malformed("the lengths of its codes do not fit");
        let literals = bits.take(5)? + 257;
        let distances = bits.take(5)? + 1;
        let mut code_lengths = [0; ORDER.len()];
        let count = bits.take(4)? + 4;
        for symbol in ORDER.iter().take(count) {
            *code_lengths.get_mut(*symbol).ok_or(WRONG)? = bits.take(3)? as u8;
        }
        self.lengths.define(&code_lengths)?;

        let mut lengths = [0; 288 + 32];
        let lengths = lengths.get_mut(..literals + distances).ok_or(WRONG)?;
        let mut rest = lengths.iter_mut();
        let mut previous = None;
        while rest.len() > 0 {
            bits.refill();
            let (length, times) = match self.lengths.decode(bits)? {
                16 => (previous.ok_or(WRONG)?, 3 + bits.take(2)?),
                17 => (0, 3 + bits.take(3)?),
                18 => (0, 11 + bits.take(7)?),
                length => (length as u8, 1),
            };
            previous = Some(length);
            for _ in 0..times {
                *rest.next().ok_or(WRONG)? = length;
            }
        }
        let (literals, distances) = lengths.split_at_checked(literals).ok_or(WRONG)?;
        self.literals.define(literals)?;
        self.distances.define(distances)
    }

    /// Walks over the symbols of a block. The loop has no branch for literals and lengths, because the processor cannot
    /// predict which of them comes next. With such a branch, walking takes half as long again.
    fn symbols(&mut self, bits: &mut Bits<'_>) -> Result<(), Malformed> {
        self.literals.join();
        let tables = [self.literals.table(), self.distances.table()];
        for (steps, table) in self.steps.chunks_exact_mut(SLOTS).zip(tables) {
            steps.copy_from_slice(table);
        }
        let mut expected = 0;
        loop {
            // A length and a distance take at most 48 bits, and 56 bits are available.
            bits.refill();
            for _ in 0..2 {
                let slot = bits.peek() as usize & (SLOTS - 1) | expected;
                let mut step = self.steps.get(slot).copied().unwrap_or_default();
                if step == 0 {
                    step = match expected {
                        0 => self.literals.find(bits.peek())?,
                        _ => self.distances.find(bits.peek())?,
                    };
                }
                bits.consume(size(step))?;
                if step & BLOCK_ENDS != 0 {
                    return Ok(());
                }
                expected = (step & DISTANCE_FOLLOWS) as usize;
            }
        }
    }
}

/// Returns the flags of a symbol of the literals and lengths, and how many bits follow it (RFC 1951, section 3.2.5).
fn literal(symbol: u16) -> Option<Step> {
    match symbol {
        0..=255 => Some(0),
        256 => Some(BLOCK_ENDS),
        257..=264 | 285 => Some(DISTANCE_FOLLOWS),
        265..=284 => Some(DISTANCE_FOLLOWS | ((Step::from(symbol) - 261) / 4)),
        _ => None,
    }
}

/// Returns how many bits follow a symbol of the distances (RFC 1951, section 3.2.5).
fn distance(symbol: u16) -> Option<Step> {
    match symbol {
        0..=3 => Some(0),
        4..=29 => Some(Step::from(symbol) / 2 - 1),
        _ => None,
    }
}

fn stored(bits: &mut Bits<'_>) -> Result<(), Malformed> {
    bits.align_and_skip(0)?;
    let length = bits.take(16)?;
    if bits.take(16)? != length ^ 0xffff {
        return Err(Malformed("the length of a stored block is wrong"));
    }
    bits.align_and_skip(length)
}
