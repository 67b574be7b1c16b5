//! One line in the making: bytes put side by side into a stretch of blanks.
//!
//! A row of `states --list` has some twenty fields of one to ten bytes. Appending each to a `Vec`
//! costs more than all the rest of netkit's work on the row, so a line is a fixed stretch that is
//! made blank at once: fields are stored where they belong, and padding is a step of the position.

use std::io::Write as _;
use std::net::IpAddr;

/// Bytes of a line at most. The longest row has 430: JSON, two IPv6 addresses, an interface name of
/// 15 bytes, each escaped.
pub const LINE: usize = 512;

/// The digits of an octet, left-aligned, and how many there are.
const OCTETS: [([u8; 3], u8); 256] = {
    let mut table = [([b' '; 3], 0); 256];
    let mut octet = 0_u8;
    loop {
        let digits = [
            b'0' + octet / 100,
            b'0' + octet / 10 % 10,
            b'0' + octet % 10,
        ];
        let [hundreds, tens, ones] = digits;
        table[widen(octet)] = match octet {
            0..10 => ([ones, b' ', b' '], 1),
            10..100 => ([tens, ones, b' '], 2),
            _ => ([hundreds, tens, ones], 3),
        };
        if octet == u8::MAX {
            break;
        }
        octet += 1;
    }
    table
};

#[expect(clippy::as_conversions, reason = "`From` is not const; this widens")]
const fn widen(octet: u8) -> usize {
    octet as usize
}

/// A line at the end of a buffer.
pub struct Line<'a> {
    buffer: &'a mut Vec<u8>,
    start: usize,
    at: usize,
}

impl<'a> Line<'a> {
    /// A blank line behind what `buffer` holds.
    #[inline]
    pub fn begin(buffer: &'a mut Vec<u8>) -> Self {
        let start = buffer.len();
        buffer.resize(start + LINE, b' ');
        Self {
            buffer,
            start,
            at: start,
        }
    }

    /// Leaves the line in the buffer, without the blanks behind it.
    #[inline]
    pub fn end(self) {
        self.buffer.truncate(self.at);
    }

    /// Puts `text`, if it fits.
    #[inline]
    pub fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    /// Goes to column `column`, and at least one blank further.
    #[inline]
    pub fn column(&mut self, column: usize) {
        self.at = (self.start + column)
            .max(self.at + 1)
            .min(self.buffer.len());
    }

    /// Puts a number in decimal.
    #[inline]
    pub fn integer(&mut self, number: u64) {
        match u8::try_from(number) {
            Ok(octet) => self.octet(octet),
            Err(_) => self.bytes(itoa::Buffer::new().format(number).as_bytes()),
        }
    }

    /// Puts an address, without brackets.
    #[inline]
    pub fn address(&mut self, address: IpAddr) {
        match address {
            IpAddr::V4(address) => {
                let [a, b, c, d] = address.octets();
                self.octet(a);
                for octet in [b, c, d] {
                    self.bytes(b".");
                    self.octet(octet);
                }
            }
            IpAddr::V6(address) => {
                let mut room = self.buffer.get_mut(self.at..).unwrap_or_default();
                let before = room.len();
                drop(write!(room, "{address}"));
                self.at += before - room.len();
            }
        }
    }

    #[inline]
    fn octet(&mut self, octet: u8) {
        let Some((digits, length)) = OCTETS.get(usize::from(octet)) else {
            return;
        };
        if let Some(room) = self
            .buffer
            .get_mut(self.at..)
            .and_then(|room| room.first_chunk_mut())
        {
            *room = *digits;
            self.at += usize::from(*length);
        }
    }

    /// With a constant `bytes`, this is one comparison and a store or two.
    #[inline]
    fn bytes(&mut self, bytes: &[u8]) {
        let end = self.at + bytes.len();
        if let Some(room) = self.buffer.get_mut(self.at..end) {
            room.copy_from_slice(bytes);
            self.at = end;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(fill: impl FnOnce(&mut Line<'_>)) -> String {
        let mut buffer = b"before|".to_vec();
        let mut line = Line::begin(&mut buffer);
        fill(&mut line);
        line.end();
        String::from_utf8(buffer)
            .unwrap()
            .strip_prefix("before|")
            .unwrap()
            .to_owned()
    }

    #[test]
    fn every_octet_is_its_digits() {
        for octet in 0..=u8::MAX {
            assert_eq!(line(|line| line.integer(octet.into())), octet.to_string());
        }
        assert_eq!(line(|line| line.integer(u64::MAX)), u64::MAX.to_string());
    }

    #[test]
    fn addresses_are_written_as_std_does() {
        for text in [
            "0.0.0.0",
            "255.1.20.199",
            "::",
            "2001:db8::1",
            "::ffff:1.2.3.4",
        ] {
            assert_eq!(line(|line| line.address(text.parse().unwrap())), text);
        }
    }

    #[test]
    fn columns_are_kept_or_moved_by_one() {
        let text = line(|line| {
            line.text("ab");
            line.column(4);
            line.text("longer than that");
            line.column(8);
            line.text("x");
        });
        assert_eq!(text, "ab  longer than that x");
    }

    #[test]
    fn what_does_not_fit_is_left_out() {
        assert_eq!(line(|line| line.text(&"x".repeat(LINE + 1))), "");
        assert_eq!(line(|line| line.text(&"x".repeat(LINE))).len(), LINE);
    }
}
