//! The attributes of 32-bit Arm executables (Addenda to, and Errata in, the ABI for the Arm Architecture, "Build
//! Attributes").

/// The section of attributes that compilers of all vendors write.
const PUBLIC: &[u8] = b"aeabi\0";
/// The tag of the attributes that apply to the whole file.
const WHOLE_FILE: u64 = 1;
/// The tags of the attributes with texts: the raw name of the processor, and its name as the user wrote it.
const TEXTS: [u64; 2] = [4, 5];
/// The tag of the attribute with the version of the architecture.
const CPU_ARCH: u64 = 6;
/// Above this tag, an even tag has a number as its value, and an odd tag a text.
const ALTERNATING: u64 = 32;

/// Returns the version of the Arm architecture in `attributes`, the content of the section `.ARM.attributes`.
pub(super) fn arm_version(attributes: &[u8], big_endian: bool) -> Option<u8> {
    let mut rest = Bytes(attributes.strip_prefix(b"A")?);
    while !rest.0.is_empty() {
        let length = rest.number(big_endian)?.checked_sub(4)?;
        let section = rest.take(length)?;
        if let Some(section) = section.strip_prefix(PUBLIC) {
            return version_in(Bytes(section), big_endian);
        }
    }
    None
}

fn version_in(mut section: Bytes<'_>, big_endian: bool) -> Option<u8> {
    while !section.0.is_empty() {
        let before = section.0.len();
        let tag = section.leb()?;
        let length = section.number(big_endian)?;
        let length = length.checked_sub(before - section.0.len())?;
        let mut attributes = Bytes(section.take(length)?);
        if tag != WHOLE_FILE {
            continue;
        }
        while !attributes.0.is_empty() {
            let tag = attributes.leb()?;
            let is_text = TEXTS.contains(&tag) || tag > ALTERNATING && tag % 2 == 1;
            if tag == CPU_ARCH {
                return version(attributes.leb()?);
            }
            if is_text {
                attributes.text()?;
            } else {
                attributes.leb()?;
                if tag == ALTERNATING {
                    attributes.text()?;
                }
            }
        }
    }
    None
}

/// Returns the version for a value of the attribute `Tag_CPU_arch`.
fn version(value: u64) -> Option<u8> {
    Some(match value {
        1 | 2 => 4,
        3..=5 => 5,
        6..=9 | 11 | 12 => 6,
        10 | 13 => 7,
        14..=17 | 21 => 8,
        22 => 9,
        _ => return None,
    })
}

/// Bytes that are read from the front.
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn number(&mut self, big_endian: bool) -> Option<usize> {
        let bytes: [u8; 4] = self.take(4)?.try_into().ok()?;
        let number = if big_endian {
            u32::from_be_bytes(bytes)
        } else {
            u32::from_le_bytes(bytes)
        };
        usize::try_from(number).ok()
    }

    /// Reads a number in the encoding LEB128.
    fn leb(&mut self) -> Option<u64> {
        let mut number = 0_u64;
        for shift in (0..63).step_by(7) {
            let byte = *self.take(1)?.first()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    /// Reads a text up to the zero byte that ends it.
    fn text(&mut self) -> Option<&'a [u8]> {
        let end = self.0.iter().position(|byte| *byte == 0)?;
        self.take(end + 1)
    }
}

#[cfg(test)]
#[path = "tests/arm_attributes.rs"]
pub(super) mod tests;
