//! What was meant by words that are no targets: the address of a URL, a host and a port in two words.
//! Pure; whoever complains says it as the command that works.

use super::target::Target;
use crate::model::ScopedIp;

/// Schemes of URLs, and the port that each stands for (IANA, Service Name and Transport Protocol Port
/// Number Registry).
const SCHEMES: [(&str, u16); 20] = [
    ("http", 80),
    ("https", 443),
    ("ws", 80),
    ("wss", 443),
    ("ftp", 21),
    ("ssh", 22),
    ("telnet", 23),
    ("smtp", 25),
    ("imap", 143),
    ("imaps", 993),
    ("ldap", 389),
    ("ldaps", 636),
    ("amqp", 5672),
    ("amqps", 5671),
    ("mqtt", 1883),
    ("mongodb", 27017),
    ("mysql", 3306),
    ("postgres", 5432),
    ("postgresql", 5432),
    ("redis", 6379),
];

/// The targets that `texts` mean; `None` where they are targets, or mean none.
pub fn meant(texts: &[String]) -> Option<Vec<String>> {
    if let [host, port] = texts
        && Target::parse(host).is_err()
        && let Some(joined) = joined(host, port)
    {
        return Some(vec![joined]);
    }
    let is_target = |text: &String| Target::parse(text).is_ok();
    if texts.iter().all(is_target) {
        return None;
    }
    let one = |text: &String| if is_target(text) { Some(text.clone()) } else { of_url(text) };
    texts.iter().map(one).collect()
}

/// `localhost 8080` as one word.
fn joined(host: &str, port: &str) -> Option<String> {
    port.parse::<u16>().ok()?;
    let is_bare = matches!(ScopedIp::parse(host), Ok(ScopedIp { ip, .. }) if ip.is_ipv6());
    let target = if is_bare { format!("[{host}]:{port}") } else { format!("{host}:{port}") };
    Target::parse(&target).is_ok().then_some(target)
}

/// `https://example.org/path` as `example.org:443`.
pub(super) fn of_url(text: &str) -> Option<String> {
    let (scheme, rest) = text.split_once("://")?;
    let end = rest.split(['/', '?', '#']).next()?;
    let end = end.rsplit('@').next()?;
    let has_port = end.rsplit_once(':').is_some_and(|(_, port)| !port.contains(']'));
    let target = if has_port {
        end.to_owned()
    } else {
        let (_, port) = SCHEMES.iter().find(|(it, _)| it.eq_ignore_ascii_case(scheme))?;
        format!("{end}:{port}")
    };
    // What still has a scheme in it was not a URL with one.
    (!target.contains("://") && Target::parse(&target).is_ok()).then_some(target)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meant_by(words: &str) -> Option<String> {
        let texts: Vec<_> = words.split(' ').map(str::to_owned).collect();
        Some(meant(&texts)?.join(" "))
    }

    #[test]
    fn the_address_of_a_url_is_meant() {
        for (url, target) in [
            ("http://example.org", "example.org:80"),
            ("https://example.org/a?b#c", "example.org:443"),
            ("http://example.org:8080/", "example.org:8080"),
            ("https://[::1]", "[::1]:443"),
            ("https://[::1]:8443/a:b", "[::1]:8443"),
            ("postgres://me:secret@db/app", "db:5432"),
            ("other://db:99/x", "db:99"),
            ("http://a b:1 http://b", "a:80 b:1 b:80"),
        ] {
            assert_eq!(meant_by(url).as_deref(), Some(target), "{url}");
        }
        for none in ["other://db", "http://", "a:1", "http://a:0", "gibberish"] {
            assert_eq!(meant_by(none), None, "{none}");
        }
    }

    #[test]
    fn a_host_and_a_port_are_one_word() {
        assert_eq!(meant_by("localhost 8080").as_deref(), Some("localhost:8080"));
        assert_eq!(meant_by("::1 8080").as_deref(), Some("[::1]:8080"));
        for none in ["localhost http", "localhost 0", "a:1 8080", "localhost 99999"] {
            assert_eq!(meant_by(none), None, "{none}");
        }
    }
}
