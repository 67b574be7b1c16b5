//! What the kernel gives less of than was asked for, without a word: buffers, the accept queue,
//! descriptors.

use super::listener::Bound;
use super::options::Options;
use crate::kernel::{ProcRoot, serving, tcp_settings};
use crate::output::numbers::bytes;

/// Warnings about `bound` sockets that were to have `options`.
pub fn warnings(bound: &[Bound], options: &Options, proc_root: &ProcRoot) -> Vec<String> {
    let sockets = &options.sockets;
    let given = || bound.iter().filter_map(|it| serving::given_buffers(&it.socket).ok());
    let receive = given().map(|(receive, _)| receive).min();
    let send = given().map(|(_, send)| send).min();
    let has_queue = bound.iter().any(|it| it.address.carrier.is_connected());
    let longest = has_queue.then(|| tcp_settings::longest_backlog(proc_root)).flatten();
    [
        buffer("--receive-buffer", "net.core.rmem_max", sockets.receive_buffer, receive),
        buffer("--send-buffer", "net.core.wmem_max", sockets.send_buffer, send),
        backlog(sockets.backlog, longest),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn buffer(option: &str, cap: &str, asked: Option<usize>, given: Option<usize>) -> Option<String> {
    let (asked, given) = (asked?, given?);
    let size = |number: usize| bytes(u64::try_from(number).unwrap_or(u64::MAX));
    (given < asked).then(|| {
        format!("{option}: of {}, the kernel gives {}: {cap} is the cap", size(asked), size(given))
    })
}

fn backlog(asked: Option<i32>, longest: Option<i64>) -> Option<String> {
    let (asked, longest) = (asked?, longest?);
    (i64::from(asked) > longest).then(|| {
        format!("--backlog: of {asked}, the kernel gives {longest}: net.core.somaxconn is the cap")
    })
}

/// A warning where not so many connections can be open as `options` let.
pub fn of_descriptors(options: &Options, most: u64) -> Option<String> {
    let asked = u64::try_from(options.max_connections?).unwrap_or(u64::MAX);
    (asked > most).then(|| {
        format!(
            "--max-connections: {asked} cannot be open at once: this process may have {most} \
             descriptors, which `ulimit -Hn` shows"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_given_in_full_needs_no_word() {
        assert_eq!(buffer("--send-buffer", "x", Some(4096), Some(4096)), None);
        // The kernel gives more than little.
        assert_eq!(buffer("--send-buffer", "x", Some(1), Some(2304)), None);
        assert_eq!(buffer("--send-buffer", "x", None, Some(2304)), None);
        assert_eq!((backlog(Some(128), Some(128)), backlog(None, Some(1))), (None, None));
        let of = |max_connections| Options { max_connections, ..Options::default() };
        assert_eq!(of_descriptors(&of(Some(100)), 100), None);
        assert_eq!(of_descriptors(&of(None), 100), None);
    }

    #[test]
    fn what_is_given_in_part_is_said_with_its_cap() {
        let words = buffer("--receive-buffer", "net.core.rmem_max", Some(1 << 20), Some(1 << 10));
        let expected =
            "--receive-buffer: of 1.0 MiB, the kernel gives 1.0 KiB: net.core.rmem_max is the cap";
        assert_eq!(words.as_deref(), Some(expected));
        let words = backlog(Some(9000), Some(4096)).unwrap();
        assert!(words.contains("of 9000, the kernel gives 4096"), "{words}");
        let options = Options { max_connections: Some(101), ..Options::default() };
        let words = of_descriptors(&options, 100).unwrap();
        assert!(words.contains("101 cannot be open at once"), "{words}");
    }
}
