//! `--send`: bytes as people write them.

/// Bytes to be sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Payload(pub Vec<u8>);

/// Reads `hex:0d0a`, or text with the escapes of C.
pub fn parse(text: &str) -> Result<Payload, String> {
    match text.strip_prefix("hex:") {
        Some(digits) => parse_hex(digits),
        None => parse_text(text),
    }
    .map(Payload)
}

fn parse_hex(text: &str) -> Result<Vec<u8>, String> {
    let wrong = || {
        "after `hex:`, give an even number of digits from 0 to f, as in hex:0d0a; blanks and colons \
         may stand between bytes"
            .to_owned()
    };
    let digits: Vec<u8> = text.bytes().filter(|it| !b" :".contains(it)).collect();
    let (pairs, []) = digits.as_chunks::<2>() else { return Err(wrong()) };
    pairs.iter().map(|pair| byte(*pair).ok_or_else(wrong)).collect()
}

fn parse_text(text: &str) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(next) = rest.next() {
        if next != b'\\' {
            bytes.push(next);
            continue;
        }
        bytes.push(match rest.next() {
            Some(b'n') => b'\n',
            Some(b'r') => b'\r',
            Some(b't') => b'\t',
            Some(b'0') => 0,
            Some(b'\\') => b'\\',
            Some(b'x') => {
                let digits = rest.next().zip(rest.next());
                let value = digits.and_then(|(high, low)| byte([high, low]));
                value.ok_or("after `\\x`, give two digits from 0 to f")?
            }
            _ => return Err("after `\\`, write n, r, t, 0, xHH or \\".to_owned()),
        });
    }
    Ok(bytes)
}

fn byte(digits: [u8; 2]) -> Option<u8> {
    let [high, low] = digits.map(|it| char::from(it).to_digit(16));
    u8::try_from(high? * 16 + low?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_has_the_escapes_of_c_and_hex_its_digits() {
        assert_eq!(parse(r"a\r\n\0\x7f\\").unwrap().0, b"a\r\n\0\x7f\\");
        assert_eq!(parse("hex:0d 0A:ff").unwrap().0, [13, 10, 255]);
        assert_eq!(parse("wörker").unwrap().0, "wörker".as_bytes());
        assert_eq!(parse("").unwrap().0, b"");
        for wrong in [r"\", r"\q", r"\x1", r"\xzz", "hex:0", "hex:zz"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
