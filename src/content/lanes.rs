//! SHA-256 of several contents at the same time.
//!
//! Each block of a SHA-256 builds on the one before, so that one alone leaves most of a vector register
//! unused. Several fit side by side: on a processor without SHA extensions, four in the lanes of a
//! register take about half as long as one after the other with `ring`, which is what counts when all
//! executables of an archive are verified there. With SHA extensions nothing is faster than `ring`.

use super::digest::{Algorithm, Digest, Hasher};

/// How many contents fit side by side.
pub(crate) const LANES: usize = 4;

const BLOCK: usize = 64;

/// The square roots of the first eight primes (FIPS 180-4, section 5.3.3).
const INITIAL: [u32; 8] = [
    0x6a09_e667,
    0xbb67_ae85,
    0x3c6e_f372,
    0xa54f_f53a,
    0x510e_527f,
    0x9b05_688c,
    0x1f83_d9ab,
    0x5be0_cd19,
];

/// The cube roots of the first 64 primes (FIPS 180-4, section 4.2.2).
#[rustfmt::skip]
const ROUNDS: [u32; 64] = [
    0x428a_2f98, 0x7137_4491, 0xb5c0_fbcf, 0xe9b5_dba5, 0x3956_c25b, 0x59f1_11f1, 0x923f_82a4, 0xab1c_5ed5,
    0xd807_aa98, 0x1283_5b01, 0x2431_85be, 0x550c_7dc3, 0x72be_5d74, 0x80de_b1fe, 0x9bdc_06a7, 0xc19b_f174,
    0xe49b_69c1, 0xefbe_4786, 0x0fc1_9dc6, 0x240c_a1cc, 0x2de9_2c6f, 0x4a74_84aa, 0x5cb0_a9dc, 0x76f9_88da,
    0x983e_5152, 0xa831_c66d, 0xb003_27c8, 0xbf59_7fc7, 0xc6e0_0bf3, 0xd5a7_9147, 0x06ca_6351, 0x1429_2967,
    0x27b7_0a85, 0x2e1b_2138, 0x4d2c_6dfc, 0x5338_0d13, 0x650a_7354, 0x766a_0abb, 0x81c2_c92e, 0x9272_2c85,
    0xa2bf_e8a1, 0xa81a_664b, 0xc24b_8b70, 0xc76c_51a3, 0xd192_e819, 0xd699_0624, 0xf40e_3585, 0x106a_a070,
    0x19a4_c116, 0x1e37_6c08, 0x2748_774c, 0x34b0_bcb5, 0x391c_0cb3, 0x4ed8_aa4a, 0x5b9c_ca4f, 0x682e_6ff3,
    0x748f_82ee, 0x78a5_636f, 0x84c8_7814, 0x8cc7_0208, 0x90be_fffa, 0xa450_6ceb, 0xbef9_a3f7, 0xc671_78f2,
];

/// Whether hashing side by side is faster than one after another on this processor.
fn pays() -> bool {
    // In a build without optimisation, loops stay loops.
    #[cfg(all(target_arch = "x86_64", not(debug_assertions)))]
    if !is_x86_feature_detected!("sha") && is_x86_feature_detected!("avx2") {
        return true;
    }
    false
}

/// Computes the SHA-256 digest of one of several contents.
pub(crate) enum LaneHasher {
    Alone(Hasher),
    Lane(Chain),
}

impl LaneHasher {
    /// A hasher that has seen no bytes yet.
    pub(crate) fn new() -> Self {
        if pays() {
            Self::Lane(Chain::new())
        } else {
            Self::Alone(Hasher::new(Algorithm::Sha256))
        }
    }

    /// The digest of everything added.
    pub(crate) fn finish(self) -> Digest {
        match self {
            Self::Alone(hasher) => hasher.finish(),
            Self::Lane(chain) => chain.finish(),
        }
    }
}

/// Adds to each hasher the bytes beside it.
pub(crate) fn update_together(hashers: Vec<(&mut LaneHasher, &[u8])>) {
    let mut lanes = Vec::new();
    for (hasher, bytes) in hashers {
        match hasher {
            LaneHasher::Alone(hasher) => hasher.update(bytes),
            LaneHasher::Lane(chain) => {
                let whole = chain.top_up(bytes);
                lanes.push((chain, whole));
            }
        }
    }
    for group in lanes.chunks_mut(LANES) {
        while extend(group) {}
    }
}

/// A SHA-256 between two blocks.
pub(crate) struct Chain {
    state: [u32; 8],
    length: u64,
    /// Bytes that do not fill a block yet.
    rest: Vec<u8>,
}

impl Chain {
    fn new() -> Self {
        Self {
            state: INITIAL,
            length: 0,
            rest: Vec::with_capacity(BLOCK),
        }
    }

    /// Takes what fills up the block that was begun, and what is behind the last whole block: leaves
    /// whole blocks.
    fn top_up<'b>(&mut self, bytes: &'b [u8]) -> &'b [[u8; BLOCK]] {
        self.length += bytes.len() as u64;
        let mut bytes = bytes;
        if !self.rest.is_empty() {
            let missing = (BLOCK - self.rest.len()).min(bytes.len());
            let (first, others) = bytes.split_at(missing);
            self.rest.extend_from_slice(first);
            bytes = others;
            if let Ok(block) = <[u8; BLOCK]>::try_from(self.rest.as_slice()) {
                self.rest.clear();
                extend(&mut [(self, &[block])]);
            }
        }
        let (blocks, rest) = bytes.as_chunks();
        self.rest.extend_from_slice(rest);
        blocks
    }

    /// Pads to whole blocks with a one, zeros and the length in bits (FIPS 180-4, section 5.1.1).
    fn finish(mut self) -> Digest {
        let bits = self.length * 8;
        let zeros = (BLOCK + 55 - self.rest.len()) % BLOCK;
        let padding = [&[0x80], vec![0; zeros].as_slice(), &bits.to_be_bytes()].concat();
        let blocks = self.top_up(&padding);
        extend(&mut [(&mut self, blocks)]);
        let mut digest = [0; 32];
        for (bytes, word) in digest.as_chunks_mut().0.iter_mut().zip(self.state) {
            *bytes = word.to_be_bytes();
        }
        Digest::sha256(&digest)
    }
}

/// Adds as many blocks as every chain has that has any; `false` when none had.
fn extend(chains: &mut [(&mut Chain, &[[u8; BLOCK]])]) -> bool {
    let busy = chains.iter().filter(|(_, blocks)| !blocks.is_empty());
    let Some((_, shortest)) = busy.min_by_key(|(_, blocks)| blocks.len()) else {
        return false;
    };
    // A lane without work repeats that of another, and its result is not looked at.
    let count = shortest.len();
    let mut blocks = [*shortest; LANES];
    let mut state = [[0; LANES]; 8];
    for (lane, (chain, its)) in chains.iter().enumerate() {
        if let (Some(its), Some(place)) = (its.get(..count), blocks.get_mut(lane)) {
            *place = its;
        }
        for (words, word) in state.iter_mut().zip(chain.state) {
            if let Some(place) = words.get_mut(lane) {
                *place = word;
            }
        }
    }
    compress(&mut state, blocks);
    for (lane, (chain, its)) in chains.iter_mut().enumerate() {
        let Some(others) = its.get(count..) else {
            continue;
        };
        *its = others;
        for (word, words) in chain.state.iter_mut().zip(state) {
            *word = words.get(lane).copied().unwrap_or_default();
        }
    }
    true
}

/// The same word of every lane.
type Words = [u32; LANES];

// Code gets the instructions of the function that it is inlined into.
#[inline(always)]
#[allow(clippy::indexing_slicing)] // The lanes of an array, each in its turn.
fn each(words: Words, function: impl Fn(u32) -> u32) -> Words {
    let mut result = [0; LANES];
    for lane in 0..LANES {
        result[lane] = function(words[lane]);
    }
    result
}

#[inline(always)]
#[allow(clippy::indexing_slicing)]
fn both(left: Words, right: Words, function: impl Fn(u32, u32) -> u32) -> Words {
    let mut result = [0; LANES];
    for lane in 0..LANES {
        result[lane] = function(left[lane], right[lane]);
    }
    result
}

#[inline(always)]
fn add(left: Words, right: Words) -> Words {
    both(left, right, u32::wrapping_add)
}

/// [`compress_with`] whatever vector instructions this processor has.
#[allow(unsafe_code)] // The one place in the crate. Without it, lanes are slower than one after another.
fn compress(state: &mut [Words; 8], blocks: [&[[u8; BLOCK]]; LANES]) {
    #[cfg(target_arch = "x86_64")]
    {
        #[target_feature(enable = "avx512f,avx512vl")]
        fn with_avx512(state: &mut [Words; 8], blocks: [&[[u8; BLOCK]]; LANES]) {
            compress_with(state, blocks);
        }
        #[target_feature(enable = "avx2")]
        fn with_avx2(state: &mut [Words; 8], blocks: [&[[u8; BLOCK]]; LANES]) {
            compress_with(state, blocks);
        }
        if is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512vl") {
            // SAFETY: the processor has the features that the function is compiled for.
            return unsafe { with_avx512(state, blocks) };
        }
        if is_x86_feature_detected!("avx2") {
            // SAFETY: the same.
            return unsafe { with_avx2(state, blocks) };
        }
    }
    compress_with(state, blocks);
}

/// The compression function (FIPS 180-4, section 6.2.2) on the blocks of all lanes, which are equally
/// many. Plain loops over lanes: the compiler makes vector instructions of them.
#[inline(always)]
#[allow(clippy::indexing_slicing)] // Every index is below the length of an array.
fn compress_with(state: &mut [Words; 8], blocks: [&[[u8; BLOCK]]; LANES]) {
    for number in 0..blocks[0].len() {
        let block: [&[u8; BLOCK]; LANES] = blocks.map(|blocks| &blocks[number]);
        let mut words = [[0; LANES]; 16];
        for (word, lanes) in words.iter_mut().enumerate() {
            let at = 4 * word;
            for (lane, block) in lanes.iter_mut().zip(block) {
                *lane =
                    u32::from_be_bytes([block[at], block[at + 1], block[at + 2], block[at + 3]]);
            }
        }
        let mut v = *state;
        for (pass, constants) in ROUNDS.as_chunks::<16>().0.iter().enumerate() {
            if pass > 0 {
                for t in 0..16 {
                    let small_0 = each(words[(t + 1) % 16], |x| {
                        x.rotate_right(7) ^ x.rotate_right(18) ^ (x >> 3)
                    });
                    let small_1 = each(words[(t + 14) % 16], |x| {
                        x.rotate_right(17) ^ x.rotate_right(19) ^ (x >> 10)
                    });
                    words[t] = add(add(words[t], small_0), add(words[(t + 9) % 16], small_1));
                }
            }
            // Written out: a loop takes a quarter longer. The variables a to h do not move; each round
            // finds them one place further.
            macro_rules! rounds {
                ($($t:literal)*) => {$({
                    let [a, b, c, d, e, f, g, h] = std::array::from_fn(|i| v[(i + 16 - $t) % 8]);
                    let big_1 = each(e, |x| {
                        x.rotate_right(6) ^ x.rotate_right(11) ^ x.rotate_right(25)
                    });
                    let choice = both(g, both(e, both(f, g, |f, g| f ^ g), |e, x| e & x), |g, x| g ^ x);
                    let word = each(words[$t], |x| x.wrapping_add(constants[$t]));
                    let first = add(add(h, big_1), add(choice, word));
                    let big_0 = each(a, |x| {
                        x.rotate_right(2) ^ x.rotate_right(13) ^ x.rotate_right(22)
                    });
                    let either = both(c, both(a, b, |a, b| a | b), |c, x| c & x);
                    let majority = both(both(a, b, |a, b| a & b), either, |x, y| x | y);
                    v[(3 + 16 - $t) % 8] = add(d, first);
                    v[(7 + 16 - $t) % 8] = add(first, add(big_0, majority));
                })*};
            }
            rounds!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15);
        }
        for (words, more) in state.iter_mut().zip(v) {
            *words = add(*words, more);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content(length: usize, seed: usize) -> Vec<u8> {
        (0..length)
            .map(|i| ((i * 31 + seed * 7) % 251) as u8)
            .collect()
    }

    #[test]
    fn lanes_give_what_each_content_gives_alone() {
        // Around the ends of blocks and of their padding, and more of them than there are lanes.
        let lengths = [0, 1, 55, 56, 63, 64, 65, 119, 120, 128, 1000, 100_003];
        let contents: Vec<_> = (0..)
            .zip(lengths)
            .map(|(seed, length)| content(length, seed))
            .collect();
        let alone = || LaneHasher::Alone(Hasher::new(Algorithm::Sha256));
        for new in [alone, || LaneHasher::Lane(Chain::new())] {
            for step in [1_000_000, 4096, 77, 64] {
                let mut hashers: Vec<_> = lengths.iter().map(|_| new()).collect();
                for at in (0..100_003).step_by(step) {
                    let pieces = contents.iter().map(|content| {
                        let end = content.len().min(at + step);
                        content.get(at..end).unwrap_or_default()
                    });
                    update_together(hashers.iter_mut().zip(pieces).collect());
                }
                for (hasher, content) in hashers.into_iter().zip(&contents) {
                    assert_eq!(hasher.finish(), Digest::of(content), "{}", content.len());
                }
            }
        }
    }
}
