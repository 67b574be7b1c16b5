//! What `netkit echo` draws on a terminal, and that it draws nothing elsewhere.

use nix::sys::signal::Signal;

use crate::harness::echoing::{Serving, round_trip};
use crate::harness::terminal::Terminal;
use crate::harness::{live, netkit};

#[test]
fn the_status_of_a_server_is_a_live_line_that_no_log_line_cuts() {
    let mut terminal = Terminal::open("echo server 127.0.0.1:0 --status --log text");
    terminal.shows("Serving on tcp://");
    let port = terminal.until("\r\n").rsplit(':').next().unwrap().to_owned();
    terminal.shows("0 connections open, 0 taken, 0 datagrams, 0 B/s in");
    let client = std::net::TcpStream::connect(format!("127.0.0.1:{port}")).unwrap();
    assert_eq!(round_trip(&client, b"hello"), b"hello");
    terminal.shows("1 connection open, 1 taken");
    drop(client);
    // What was drawn is taken away before the line of the log, which begins with the date.
    let before = terminal.until("127.0.0.1:");
    assert!(
        before.rsplit_once("\r\x1b[K").is_some_and(|(_, it)| it.starts_with("20")),
        "{before:?}"
    );
    terminal.shows("0 connections open, 1 taken");
    terminal.types("\x03");
    let rest = terminal.ends(0);
    assert!(rest.contains("\r\x1b[KServed on tcp://127.0.0.1:"), "{rest:?}");
}

#[test]
fn where_there_is_no_terminal_there_is_no_live_line() {
    let server = Serving::start("127.0.0.1:0 --status");
    let loaded = netkit("echo client -n 10 -r 20").arg(&server.addresses[0]).run().exits(0);
    loaded.quietly();
    let end = server.stop().exits(0);
    assert_eq!(end.stderr, "");
    assert!(!end.stdout.contains("\x1b["), "{end:?}");
}

#[test]
fn a_load_shows_how_far_it_is_and_nothing_if_it_is_to_be_quiet() {
    let server = Serving::start("127.0.0.1:0");
    let load = format!("echo client -d 1s -r 200 {}", server.addresses[0]);
    let mut terminal = Terminal::open(&load);
    terminal.shows(" a second, p50 ");
    terminal.shows("200 of 200 replies");
    terminal.ends(0);
    assert_eq!(Terminal::open(&format!("--quiet {load}")).ends(0), "");
    // Data that goes elsewhere leaves the terminal to the line; data that goes there is all there is.
    let mut terminal = Terminal::open(&format!("{load} --json > /dev/null"));
    terminal.shows(" a second, p50 ");
    terminal.ends(0);
    let data = Terminal::open(&format!("{load} --json")).ends(0);
    assert!(data.starts_with('{') && !data.contains('\x1b'), "{data}");
}

#[test]
fn warnings_are_said_at_once_and_not_among_the_data() {
    live(&[], || {
        for format in ["table", "csv", "json"] {
            let server = netkit("echo server udp://0.0.0.0:0 --format").arg(format).start();
            let server = server.says("netkit: warning: udp://0.0.0.0:");
            let (answer, _) = server.signal(Signal::SIGTERM).ends();
            assert_eq!(answer.code, Some(0));
            let is_told = answer.stdout.contains("netkit's own datagrams alone");
            assert_eq!(is_told, format == "json", "{answer:?}");
        }
    });
}
