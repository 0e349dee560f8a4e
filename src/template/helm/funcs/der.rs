//! DER: the little of it that keys and certificates need.

pub(super) const INTEGER: u8 = 0x02;
pub(super) const BIT_STRING: u8 = 0x03;
pub(super) const OCTET_STRING: u8 = 0x04;
pub(super) const OBJECT: u8 = 0x06;
pub(super) const SEQUENCE: u8 = 0x30;
pub(super) const NULL: &[u8] = &[0x05, 0x00];

/// A tag, the length and the contents.
pub(super) fn element(tag: u8, contents: &[&[u8]]) -> Vec<u8> {
    let length: usize = contents.iter().map(|part| part.len()).sum();
    let mut out = vec![tag];
    if length < 0x80 {
        out.push(length as u8);
    } else {
        let bytes = length.to_be_bytes();
        let bytes = &bytes[length.leading_zeros() as usize / 8..];
        out.push(0x80 | bytes.len() as u8);
        out.extend_from_slice(bytes);
    }
    out.extend(contents.iter().copied().flatten());
    out
}

pub(super) fn sequence(contents: &[&[u8]]) -> Vec<u8> {
    element(SEQUENCE, contents)
}

/// A whole number that is not negative, from its big-endian bytes.
pub(super) fn integer(bytes: &[u8]) -> Vec<u8> {
    let significant = &bytes[bytes.iter().take_while(|byte| **byte == 0).count()..];
    let sign: &[u8] = if significant.first().is_none_or(|byte| byte & 0x80 != 0) { &[0] } else { &[] };
    element(INTEGER, &[sign, significant])
}

pub(super) fn bit_string(bytes: &[u8], unused: u8) -> Vec<u8> {
    element(BIT_STRING, &[&[unused], bytes])
}

/// Reads elements one after the other.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reader<'d>(pub(super) &'d [u8]);

impl<'d> Reader<'d> {
    pub(super) fn peek(&self) -> Option<u8> {
        self.0.first().copied()
    }

    /// The next element: its tag, its contents, and all of it.
    pub(super) fn next(&mut self) -> Option<(u8, &'d [u8], &'d [u8])> {
        let [tag, length, rest @ ..] = self.0 else { return None };
        let (length, header) = match length {
            0..=0x7F => (usize::from(*length), 2),
            0x81..=0x84 => {
                let count = usize::from(length - 0x80);
                let bytes = rest.get(..count)?;
                (bytes.iter().fold(0, |length, byte| length << 8 | usize::from(*byte)), 2 + count)
            }
            _ => return None,
        };
        let whole = self.0.get(..header.checked_add(length)?)?;
        self.0 = &self.0[whole.len()..];
        Some((*tag, &whole[header..], whole))
    }

    /// The contents of the next element if it has this tag.
    pub(super) fn read(&mut self, tag: u8) -> Option<&'d [u8]> {
        let (found, contents, _) = self.next()?;
        (found == tag).then_some(contents)
    }

    /// The next element, a sequence.
    pub(super) fn sequence(&mut self) -> Option<Reader<'d>> {
        self.read(SEQUENCE).map(Reader)
    }

    /// The bytes of a bit string of whole bytes.
    pub(super) fn bit_string(&mut self) -> Option<&'d [u8]> {
        self.read(BIT_STRING)?.strip_prefix(&[0])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back() {
        let long = vec![7; 300];
        let written = sequence(&[&integer(&[0, 0, 0x80]), &integer(&[]), &element(OCTET_STRING, &[&long])]);
        assert_eq!(written[..9], [0x30, 0x82, 0x01, 0x37, 0x02, 0x02, 0x00, 0x80, 0x02]);
        let mut reader = Reader(&written).sequence().expect("a sequence");
        assert_eq!(reader.read(INTEGER), Some(&[0, 0x80][..]));
        assert_eq!(reader.read(INTEGER), Some(&[0][..]));
        assert_eq!(reader.read(OCTET_STRING), Some(&long[..]));
        assert_eq!(reader.next(), None);
    }

    #[test]
    fn torn_elements_are_none() {
        for torn in
            [&[][..], &[0x30], &[0x30, 1], &[0x30, 0x82, 1], &[0x30, 0x84, 0xFF, 0xFF, 0xFF, 0xFF], &[0x30, 0x80]]
        {
            assert_eq!(Reader(torn).next(), None, "{torn:?}");
        }
    }
}
