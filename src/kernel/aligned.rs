//! A buffer for read(2) and recv(2) that begins where a cache line does.
//!
//! The kernel copies with `rep movsb` where the processor has it fast (`_copy_to_iter`,
//! lib/iov_iter.c; `rep_movs_alternative`, arch/x86/lib/copy_user_64.S), and on processors of AMD that
//! takes up to ten times as long to an address that is no multiple of 32. What malloc(3) gives for a
//! large block lies 16 bytes after a page's begin: 1 GiB of reads of 256 KiB took 0.7 s there, and
//! 0.07 s at the begin of a cache line.

use std::ops::{Deref, DerefMut};

/// Bytes of a cache line.
const LINE: usize = 64;

/// So many bytes, of which the first is the first of a cache line.
#[derive(Debug)]
pub struct AlignedBuffer {
    bytes: Vec<u8>,
    start: usize,
    length: usize,
}

impl AlignedBuffer {
    /// One of `length` zeros. Pages that are never written to cost no memory.
    pub fn new(length: usize) -> Self {
        let bytes = vec![0; length + LINE];
        let start = bytes.as_ptr().align_offset(LINE).min(LINE);
        Self { bytes, start, length }
    }
}

impl Deref for AlignedBuffer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.bytes.get(self.start..self.start + self.length).unwrap_or_default()
    }
}

impl DerefMut for AlignedBuffer {
    fn deref_mut(&mut self) -> &mut [u8] {
        self.bytes.get_mut(self.start..self.start + self.length).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_begins_with_a_cache_line_and_is_as_long_as_asked_for() {
        for length in [0, 1, 63, 64, 65_536, 262_144] {
            let mut buffer = AlignedBuffer::new(length);
            assert_eq!(buffer.len(), length);
            assert!(buffer.as_ptr().align_offset(LINE) == 0, "{length}");
            buffer.fill(7);
            let moved = buffer;
            assert!(moved.as_ptr().align_offset(LINE) == 0, "{length}");
            assert!(moved.iter().all(|byte| *byte == 7));
        }
    }
}
