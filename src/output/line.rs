//! One line in the making: bytes put side by side into a stretch of blanks.
//!
//! A row of `states --list` has some twenty fields of one to ten bytes. Appending each to a `Vec`
//! costs more than all the rest of netkit's work on the row, so a line is a fixed stretch that
//! starts blank: a field is one store of fixed size whose own blanks the next field writes over, and
//! padding is a step of the position.

use std::io::Write as _;
use std::net::IpAddr;

/// Text of up to 16 bytes, padded with blanks so that it is put by one store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Word {
    bytes: [u8; 16],
    length: u8,
}

impl Word {
    /// The word of `text`, cut to 16 bytes.
    #[expect(clippy::indexing_slicing, reason = "below 16, which `get_mut` is not const to see")]
    pub const fn new(text: &str) -> Self {
        let mut bytes = [b' '; 16];
        let mut length = 0;
        let mut rest = text.as_bytes();
        while let Some((byte, after)) = rest.split_first()
            && length < 16
        {
            bytes[widen(length)] = *byte;
            length += 1;
            rest = after;
        }
        Self { bytes, length }
    }
}

/// The digits of an octet.
#[expect(clippy::indexing_slicing, reason = "computed by the compiler, which checks it")]
const OCTETS: [([u8; 4], u8); 256] = {
    let mut table = [([b' '; 4], 0); 256];
    let mut octet = 0_u8;
    loop {
        let [hundreds, tens, ones] =
            [b'0' + octet / 100, b'0' + octet / 10 % 10, b'0' + octet % 10];
        table[widen(octet)] = match octet {
            0..10 => ([ones, b' ', b' ', b' '], 1),
            10..100 => ([tens, ones, b' ', b' '], 2),
            _ => ([hundreds, tens, ones, b' '], 3),
        };
        if octet == u8::MAX {
            break;
        }
        octet += 1;
    }
    table
};

/// `000` to `999`.
#[expect(clippy::indexing_slicing, reason = "computed by the compiler, which checks it")]
const THREE: [[u8; 4]; 1000] = {
    let mut table = [[b' '; 4]; 1000];
    let mut hundreds = 0;
    while hundreds < 10 {
        let mut below = 0;
        while below < 100 {
            let digits = [b'0' + hundreds, b'0' + below / 10, b'0' + below % 10, b' '];
            table[widen(hundreds) * 100 + widen(below)] = digits;
            below += 1;
        }
        hundreds += 1;
    }
    table
};

#[expect(clippy::as_conversions, reason = "`From` is not const; this widens")]
const fn widen(octet: u8) -> usize {
    octet as usize
}

/// A line of at most `N` bytes.
pub struct Line<const N: usize> {
    bytes: [u8; N],
    at: usize,
}

impl<const N: usize> Line<N> {
    /// A blank line.
    #[inline]
    pub fn new() -> Self {
        Self { bytes: [b' '; N], at: 0 }
    }

    /// What was put.
    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.at.min(N)).unwrap_or_default()
    }

    /// Puts a constant: one comparison and a store or two.
    #[inline]
    pub fn put<const M: usize>(&mut self, bytes: &[u8; M]) {
        if let Some(room) = self.bytes.get_mut(self.at..).and_then(|room| room.first_chunk_mut()) {
            *room = *bytes;
            self.at += M;
        }
    }

    /// Puts `text`, if it fits.
    #[inline]
    pub fn text(&mut self, text: &str) {
        let end = self.at + text.len();
        if let Some(room) = self.bytes.get_mut(self.at..end) {
            room.copy_from_slice(text.as_bytes());
            self.at = end;
        }
    }

    /// Puts a word.
    #[inline]
    pub fn word(&mut self, word: &Word) {
        self.store(word.bytes, word.length);
    }

    /// Goes to column `column`, and at least one blank further.
    #[inline]
    pub fn column(&mut self, column: usize) {
        self.at = column.max(self.at + 1);
    }

    /// Puts a number in decimal.
    #[inline]
    pub fn integer(&mut self, number: u64) {
        match (u8::try_from(number), u16::try_from(number)) {
            (Ok(small), _) => self.octet(small),
            (_, Ok(short)) => self.short(short),
            _ => self.text(itoa::Buffer::new().format(number)),
        }
    }

    /// Puts an address, without brackets. What does not fit is cut.
    #[inline(never)]
    pub fn address(&mut self, address: IpAddr) {
        let mut room = self.bytes.get_mut(self.at..).unwrap_or_default();
        let before = room.len();
        drop(write!(room, "{address}"));
        self.at += before - room.len();
    }

    /// A number of three to five digits: the thousands, then three digits from a table.
    #[inline]
    fn short(&mut self, number: u16) {
        if let Ok(thousands @ 1..) = u8::try_from(number / 1000) {
            self.octet(thousands);
        }
        if let Some(digits) = THREE.get(usize::from(number % 1000)) {
            self.store(*digits, 3);
        }
    }

    #[inline]
    fn octet(&mut self, octet: u8) {
        if let Some((digits, length)) = OCTETS.get(usize::from(octet)) {
            self.store(*digits, *length);
        }
    }

    /// Stores all of `bytes` and steps over the first `length`; the rest is blank, or written over.
    #[inline]
    fn store<const M: usize>(&mut self, bytes: [u8; M], length: u8) {
        if let Some(room) = self.bytes.get_mut(self.at..).and_then(|room| room.first_chunk_mut()) {
            *room = bytes;
            self.at += usize::from(length);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(fill: impl FnOnce(&mut Line<64>)) -> String {
        let mut line = Line::new();
        fill(&mut line);
        String::from_utf8(line.as_bytes().to_vec()).unwrap()
    }

    #[test]
    fn every_number_is_its_digits_and_blanks_stay_blank() {
        for number in (0..=u64::from(u16::MAX)).chain([65_536, 999_999, u64::MAX]) {
            let text = line(|line| {
                line.integer(number);
                line.column(30);
                line.text("|");
            });
            assert_eq!(text, format!("{number:<30}|"));
        }
    }

    #[test]
    fn addresses_are_written_as_std_does() {
        for octet in 0..=u8::MAX {
            let address = IpAddr::from([octet, 0, octet, 255]);
            assert_eq!(line(|line| line.address(address)), address.to_string());
        }
        for text in ["::", "2001:db8::1", "::ffff:1.2.3.4"] {
            assert_eq!(line(|line| line.address(text.parse().unwrap())), text);
        }
    }

    #[test]
    fn columns_are_kept_or_moved_by_one() {
        let text = line(|line| {
            line.word(&Word::new("ab"));
            line.column(4);
            line.text("longer than that");
            line.column(8);
            line.text("x");
        });
        assert_eq!(text, "ab  longer than that x");
    }

    #[test]
    fn what_does_not_fit_is_left_out() {
        assert_eq!(line(|line| line.text(&"x".repeat(65))), "");
        assert_eq!(line(|line| line.text(&"x".repeat(64))).len(), 64);
        assert_eq!(line(|line| line.word(&Word::new(&"x".repeat(17)))), "x".repeat(16));
    }
}
