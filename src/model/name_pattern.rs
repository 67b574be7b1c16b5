//! Patterns of one name, without separators, as glob(7) has them.

/// The characters that make a pattern of a name.
pub const WILD: [char; 3] = ['*', '?', '['];

/// Whether `name` fits `pattern`: `*` is any number of characters, `?` one, `[…]` one of a set,
/// `[!…]` or `[^…]` one that is not in it, and `\` takes the meaning from what follows. A set that is
/// not closed is a plain `[`. A dot at the front is fitted by a dot alone (`FNM_PERIOD`).
pub fn fits(pattern: &str, name: &str) -> bool {
    if name.starts_with('.') && !pattern.starts_with(['.', '\\']) {
        return false;
    }
    let (mut pattern, mut name) = (pattern, name);
    // Where the last `*` was: what follows it, and the shortest name not yet tried with it.
    let mut star: Option<(&str, &str)> = None;
    loop {
        if let Some(rest) = pattern.strip_prefix('*') {
            (pattern, star) = (rest, Some((rest, name)));
            continue;
        }
        if pattern.is_empty() && name.is_empty() {
            return true;
        }
        if let Some(rests) = one(pattern, name) {
            (pattern, name) = rests;
            continue;
        }
        let Some((after, tried)) = star else { return false };
        let mut longer = tried.chars();
        if longer.next().is_none() {
            return false;
        }
        (pattern, name) = (after, longer.as_str());
        star = Some((after, name));
    }
}

/// What is left of both when the head of `pattern`, which is no `*`, fits the first character.
fn one<'a>(pattern: &'a str, name: &'a str) -> Option<(&'a str, &'a str)> {
    let mut names = name.chars();
    let first = names.next()?;
    let mut rest = pattern.chars();
    let fits = match rest.next()? {
        '?' => true,
        '[' => match Set::parse(rest.as_str()) {
            Some((set, after)) => {
                rest = after.chars();
                set.has(first)
            }
            None => first == '[',
        },
        '\\' => rest.next().unwrap_or('\\') == first,
        plain => plain == first,
    };
    fits.then_some((rest.as_str(), names.as_str()))
}

/// What stands between brackets.
struct Set {
    is_negated: bool,
    ranges: Vec<(char, char)>,
}

impl Set {
    /// The set whose `[` was read, and what follows its `]`; `None` if it is not closed.
    fn parse(text: &str) -> Option<(Self, &str)> {
        let negated = text.strip_prefix(['!', '^']);
        let mut rest = negated.unwrap_or(text).chars();
        let mut ranges = Vec::new();
        loop {
            let low = match rest.next()? {
                // A `]` that comes first is one of the set.
                ']' if !ranges.is_empty() => break,
                '\\' => rest.next()?,
                plain => plain,
            };
            let high = match rest.as_str().strip_prefix('-') {
                Some(after) if !after.starts_with(']') => {
                    rest = after.chars();
                    match rest.next()? {
                        '\\' => rest.next()?,
                        plain => plain,
                    }
                }
                _ => low,
            };
            ranges.push((low, high));
        }
        Some((Self { is_negated: negated.is_some(), ranges }, rest.as_str()))
    }

    fn has(&self, c: char) -> bool {
        self.ranges.iter().any(|(low, high)| (*low..=*high).contains(&c)) != self.is_negated
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn patterns_fit_as_those_of_the_shell() {
        for (pattern, name) in [
            ("*", "eth0"),
            ("*", ""),
            ("eth*", "eth0.100"),
            ("*0", "eth0"),
            ("*h*0", "eth0"),
            ("e?h0", "eth0"),
            ("eth[0-3]", "eth2"),
            ("eth[!1-3]", "eth0"),
            ("eth[^1-3]", "eth0"),
            ("[]x]", "]"),
            ("[a-]", "-"),
            ("[", "["),
            ("a[b", "a[b"),
            (r"\*", "*"),
            (r"[\]]", "]"),
            (".*", ".x"),
            ("a**b", "ab"),
        ] {
            assert!(fits(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [
            ("", "x"),
            ("x", ""),
            ("eth?", "eth"),
            ("eth[0-3]", "eth4"),
            ("eth[!0-3]", "eth0"),
            ("*", ".x"),
            ("?x", ".x"),
            (r"\*", "x"),
            ("*1", "eth0"),
            ("ETH0", "eth0"),
        ] {
            assert!(!fits(pattern, name), "{pattern} {name}");
        }
    }

    proptest! {
        #[test]
        fn no_pattern_makes_it_panic_or_hang(pattern in r"[*?\[\]!^a-c\\-]{0,24}", name in "[a-c]{0,24}") {
            fits(&pattern, &name);
        }

        #[test]
        fn what_has_no_wildcard_fits_itself_alone(a in "[a-c.]{0,4}", b in "[a-c.]{0,4}") {
            prop_assert_eq!(fits(&a, &b), a == b);
        }

        #[test]
        fn a_star_stands_for_any_middle(a in "[a-c]{1,4}", m in "[a-c]{0,4}", b in "[a-c]{0,4}") {
            let pattern = format!("{a}*{b}");
            let name = format!("{a}{m}{b}");
            prop_assert!(fits(&pattern, &name));
        }
    }
}
