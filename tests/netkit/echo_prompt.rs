//! The prompt of `netkit echo client`, on a pseudo-terminal of script(1).

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::mpsc::channel;
use std::thread;

use crate::harness::echoing::Serving;
use crate::harness::terminal::Terminal;

fn prompt(address: &str) -> Terminal {
    Terminal::open(&format!("echo client --timeout 2s {address}"))
}

/// Ctrl-D, at the prompt: before it, the terminal takes that for the end of a line, and it is lost.
#[track_caller]
fn ends(mut terminal: Terminal, code: i32) {
    terminal.shows(">> ");
    terminal.types("\x04");
    terminal.ends(code);
}

#[test]
fn lines_are_answered_with_their_time_and_both_addresses_are_shown() {
    let server = Serving::start("127.0.0.1:0");
    let address = server.address("tcp").to_string();
    let mut terminal = prompt(&address);
    terminal.shows(&format!("connected to {address} (getpeername) from 127.0.0.1:"));
    terminal.shows("(getsockname)");
    terminal.shows(">> ");
    terminal.types("hello\r");
    terminal.shows("hello  (");
    terminal.shows("s)");
    terminal.shows(">> ");
    // The line before, by the history; what is shown of it is edited in place.
    terminal.types("\x1b[A!\r");
    terminal.shows("hello!  (");
    ends(terminal, 0);
}

#[test]
fn a_wrong_reply_is_said_with_what_was_expected_and_is_in_the_exit_code() {
    let server = Serving::start("127.0.0.1:0");
    let address = server.address("tcp");
    let mut terminal = Terminal::open(&format!("echo client --transform upper {address}"));
    terminal.shows(">> ");
    terminal.types("HELLO\r");
    terminal.shows("s)\r\n");
    terminal.shows(">> ");
    terminal.types("abc\r");
    terminal.shows("s)  expected `ABC`");
    ends(terminal, 1);
}

#[test]
fn an_empty_line_is_not_waited_for() {
    let server = Serving::start("127.0.0.1:0");
    let mut terminal = prompt(&server.address("tcp").to_string());
    terminal.shows(">> ");
    terminal.types("\r");
    terminal.shows("not sent");
    terminal.shows(">> ");
    terminal.types("still here\r");
    terminal.shows("still here  (");
    ends(terminal, 0);
}

#[test]
fn a_server_that_goes_away_is_said_and_one_that_comes_back_is_found() {
    let server = Serving::start("127.0.0.1:0");
    let address = server.address("tcp");
    let mut terminal = prompt(&address.to_string());
    terminal.shows(">> ");
    terminal.types("one\r");
    terminal.shows("one  (");
    server.signal(nix::sys::signal::Signal::SIGKILL);
    server.wait();
    terminal.shows(">> ");
    terminal.types("two\r");
    terminal.shows("the peer closed the connection (FIN); connecting again");
    terminal.shows("ECONNREFUSED (111)");
    terminal.shows(">> ");
    let _again = Serving::start(&address.to_string());
    terminal.types("three\r");
    terminal.shows("connected to");
    terminal.shows("three  (");
    ends(terminal, 1);
}

#[test]
fn a_reply_that_comes_late_is_not_taken_for_the_next() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (answer, wait) = channel::<()>();
    let (has_answered, answered) = channel::<()>();
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut buffer = [0; 64];
        let length = stream.read(&mut buffer).unwrap();
        wait.recv().unwrap();
        stream.write_all(&buffer[..length]).unwrap();
        has_answered.send(()).unwrap();
        while let Ok(length @ 1..) = stream.read(&mut buffer) {
            stream.write_all(&buffer[..length]).unwrap();
        }
    });
    let mut terminal = prompt(&address);
    terminal.shows(">> ");
    terminal.types("slow\r");
    terminal.shows("nothing came before the timeout");
    terminal.shows(">> ");
    answer.send(()).unwrap();
    // On loopback it is there as soon as the peer's send has returned.
    answered.recv().unwrap();
    terminal.types("next\r");
    terminal.shows("late: slow");
    terminal.shows("next  (");
    ends(terminal, 1);
}

#[test]
fn a_reply_that_is_late_is_shown_at_the_end_too() {
    let server = Serving::start("127.0.0.1:0 --delay 150ms");
    let address = server.address("tcp");
    let mut terminal = Terminal::open(&format!("echo client -t 20ms {address}"));
    terminal.shows(">> ");
    terminal.types("one\r");
    terminal.shows("nothing came before the timeout");
    terminal.shows(">> ");
    terminal.types("\x04");
    terminal.shows("late: one");
    terminal.ends(1);
}

#[test]
fn a_line_that_nobody_answers_is_in_the_exit_code() {
    let gone = std::net::UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut terminal = Terminal::open(&format!("echo client -u {gone}"));
    terminal.shows(">> ");
    terminal.types("one\r");
    terminal.shows("ECONNREFUSED (111)");
    ends(terminal, 1);
}

#[test]
fn what_is_said_is_wrapped_between_words_on_a_narrow_terminal() {
    let server = Serving::start("127.0.0.1:0");
    let address = server.address("tcp");
    let mut terminal =
        Terminal::open_by("stty cols 40 rows 24;", &format!("echo client {address}"));
    terminal.shows(&format!("connected to {address}\r\n(getpeername) from "));
    terminal.shows("\r\n(getsockname)");
    terminal.shows(">> ");
    terminal.types("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r");
    terminal.shows("aaaa\r\n(");
    ends(terminal, 0);
}
