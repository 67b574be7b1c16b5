//! Lists of ports, as `ip_local_reserved_ports` has them (`kernel/sysctl.c`, `proc_do_large_bitmap`).

use super::sysctl_number::number;
use super::{BadValue, PortRange, PortSet};

/// Reads `80,90-100`: numbers as everywhere, so that `0x50` is 80 and `080` an error. There are no
/// blanks; a newline separates like a comma, several newlines are one, and a comma may stand at the
/// end. Nothing is the set of no port.
pub(super) fn port_list(text: &str) -> Result<PortSet, BadValue> {
    let mut ports = PortSet::new();
    let mut rest = text.trim_start_matches('\n');
    while !rest.is_empty() {
        let bad = || BadValue::NotPorts(text.trim().to_owned());
        let (low, after) = port(rest, &['-', ',', '\n']).ok_or_else(bad)?;
        let (high, after) = match after.strip_prefix('-') {
            Some(after) => port(after, &[',', '\n', '\0']).ok_or_else(bad)?,
            None => (low, after),
        };
        if low > high {
            return Err(BadValue::Backwards(low, high));
        }
        ports.insert_range(PortRange { low, high });
        // What follows a number is a separator, or nothing.
        let mut after = after.chars();
        after.next();
        rest = after.as_str().trim_start_matches('\n');
    }
    Ok(ports)
}

/// The port at the head of `text`, and what follows it.
fn port<'a>(text: &'a str, separators: &[char]) -> Option<(u16, &'a str)> {
    let number = number(text, separators).filter(|number| !number.is_negative)?;
    Some((u16::try_from(number.magnitude).ok()?, number.rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Option<String> {
        let ports = port_list(text).ok()?;
        let ranges: Vec<_> = ports.ranges().map(|range| range.to_string()).collect();
        Some(ranges.join(","))
    }

    #[test]
    fn lists_are_those_that_linux_takes() {
        for (text, expected) in [
            ("8080", "8080"),
            ("9000-9100,8080", "8080,9000-9100"),
            ("8080\n9000", "8080,9000"),
            ("1,2,3,4", "1-4"),
            ("80,", "80"),
            ("80,\n", "80"),
            ("\n80\n\n", "80"),
            ("0x50", "80"),
            ("010", "8"),
            ("0-65535", "0-65535"),
            ("9000-9000", "9000"),
            ("", ""),
            ("\n", ""),
        ] {
            assert_eq!(shown(text).as_deref(), Some(expected), "{text:?}");
        }
        for text in [
            " ",
            " 80",
            "80 90",
            "80, 90",
            "80 ,90",
            "80;",
            "80 # x",
            "80,,90",
            ",80",
            "90-80",
            "90-",
            "-90",
            "80-90-100",
            "80- 90",
            "+80",
            "65536",
            "80\r\n",
            "80\0",
            "80\n,90",
            "-",
            "x",
            "80,x",
            "080",
        ] {
            assert_eq!(shown(text), None, "{text:?}");
        }
    }
}
