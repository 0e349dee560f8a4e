//! Texts in parts of whole documents, so that long ones need not be in memory at once.

use std::io::{self, Read};

/// Bytes of a part, but for a document that is longer.
pub(super) const SIZE: usize = 1 << 20;

/// A reader's text, cut where documents begin.
pub(super) struct Parts<R> {
    reader: R,
    /// What was read past the last part.
    rest: Vec<u8>,
    base: usize,
    /// Whether the reader is a plain file, which gives less than it is asked for only at its end.
    is_plain: bool,
    is_done: bool,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Part {
    /// Where the part starts in the whole text.
    pub base: u32,
    pub text: String,
    /// Whether nothing follows.
    pub is_last: bool,
}

impl<R: Read> Parts<R> {
    pub fn new(reader: R, is_plain: bool) -> Self {
        Parts { reader, rest: Vec::new(), base: 0, is_plain, is_done: false }
    }

    /// The next part. `space` is for texts that fit into it, as most do: they are read with one call.
    pub fn next(&mut self, space: &mut [u8]) -> io::Result<Option<Part>> {
        self.next_of(SIZE, space)
    }

    fn next_of(&mut self, size: usize, space: &mut [u8]) -> io::Result<Option<Part>> {
        if self.is_done {
            return Ok(None);
        }
        let mut bytes = std::mem::take(&mut self.rest);
        if self.is_plain && self.base == 0 {
            let count = self.reader.read(space)?;
            bytes.extend_from_slice(&space[..count]);
            self.is_done = count < space.len();
        }
        while !self.is_done {
            let wanted = (size.max(bytes.len()) + 1) as u64;
            self.is_done = ((&mut self.reader).take(wanted).read_to_end(&mut bytes)? as u64) < wanted;
            if !self.is_done
                && let Some(at) = memchr::memmem::rfind(&bytes, b"\n---")
            {
                self.rest = bytes.split_off(at + 1);
                break;
            }
        }
        let base = self.base;
        self.base += bytes.len();
        let invalid = |what| io::Error::new(io::ErrorKind::InvalidData, what);
        let text = String::from_utf8(bytes).map_err(|_| invalid("not UTF-8 text"))?;
        // Places count with 32 bits.
        if self.base > u32::MAX as usize {
            return Err(invalid("more than 4 GiB"));
        }
        Ok(Some(Part { base: base as u32, text, is_last: self.is_done }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_hold_whole_documents() {
        let text = "a: long document\n---\nb\n---\nc\n--- d\n";
        for (size, is_plain) in [(1000, false), (25, false), (20, false), (1000, true), (20, true)] {
            let mut parts = Parts::new(text.as_bytes(), is_plain);
            let mut found = String::new();
            let mut counted = 0;
            while let Some(part) = parts.next_of(size, &mut [0; 3]).unwrap() {
                assert_eq!(part.base as usize, found.len());
                assert!(part.base == 0 || part.text.starts_with("---"), "{part:?}");
                found += &part.text;
                assert_eq!(part.is_last, found == text);
                counted += 1;
            }
            assert_eq!(found, text, "{size}");
            assert_eq!(counted > 1, size < text.len(), "{size}");
        }
        let mut space = [0; 100];
        let whole = Parts::new(text.as_bytes(), true).next(&mut space).unwrap().unwrap();
        assert!(whole.is_last && whole.text == text);
        assert!(Parts::new(&b"\xff"[..], true).next(&mut space).is_err());
    }
}
