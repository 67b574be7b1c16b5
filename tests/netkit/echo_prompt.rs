//! The prompt of `netkit echo client`, on a pseudo-terminal of script(1).

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::mpsc::channel;
use std::thread;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use netkit::kernel::ending_signals::number;

use crate::harness::command::PROGRAM;
use crate::harness::echoing::Serving;
use crate::harness::terminal::Terminal;
use crate::harness::{eventually, live};

fn prompt(address: &str) -> Terminal {
    Terminal::open(&format!("echo client --timeout 2s {address}"))
}

/// Ctrl-D.
#[track_caller]
fn ends(mut terminal: Terminal, code: i32) {
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
fn a_format_for_programs_is_not_one_of_a_prompt() {
    let mut terminal = Terminal::open("echo client --format json 127.0.0.1:1");
    terminal.shows("--format is for messages and loads");
    terminal.ends(2);
}

#[test]
fn what_came_of_a_reply_that_breaks_off_is_shown() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut terminal = prompt(&listener.local_addr().unwrap().to_string());
    terminal.shows(">> ");
    terminal.types("abcdef\r");
    let (mut stream, _) = listener.accept().unwrap();
    stream.read_exact(&mut [0; 7]).unwrap();
    stream.write_all(b"abc").unwrap();
    drop(stream);
    terminal.shows("only `abc` came from tcp://");
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
    server.signal(Signal::SIGKILL);
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

#[test]
fn lines_that_are_typed_ahead_are_sent_one_after_the_other() {
    let server = Serving::start("127.0.0.1:0 --delay 20ms");
    let address = server.address("tcp").to_string();
    let words = ["one", "two", "three"].map(str::to_owned).to_vec();
    // More than the line editor reads at once, and than a terminal takes for one line.
    let many: Vec<_> = (0..40).map(|it| format!("{it}{}", "a".repeat(120))).collect();
    for (end, lines) in [("\r", &words), ("\n", &words), ("\r", &many)] {
        let mut terminal = prompt(&address);
        terminal.shows(">> ");
        for line in lines {
            terminal.types(&format!("{line}{end}"));
        }
        terminal.types("\x04");
        let shown = terminal.ends(0);
        let mut rest = shown.as_str();
        for line in lines {
            let beside = format!("\n{line}  (");
            let below = format!("\n{line}\r\n(");
            let at = rest.find(&beside).or_else(|| rest.find(&below));
            rest = &rest[at.unwrap_or_else(|| panic!("no {line:?} in {rest:?}")) + line.len()..];
        }
    }
}

#[test]
fn what_is_typed_before_there_is_a_prompt_is_sent_too() {
    let server = Serving::start("127.0.0.1:0");
    let line = format!("echo client {}", server.address("tcp"));
    // The shell says when it may be typed, and waits until the terminal has it.
    let mut terminal = Terminal::open_by("echo now; read -r first;", &line);
    terminal.shows("now");
    terminal.types("first\rone\rtwo\rthr");
    terminal.shows("one  (");
    terminal.shows("two  (");
    terminal.types("ee\r");
    terminal.shows("three  (");
    ends(terminal, 0);
    let mut terminal = Terminal::open_by("echo now; read -r first;", &line);
    terminal.shows("now");
    terminal.types("first\rone\r\x04");
    terminal.shows("one  (");
    terminal.ends(0);
}

#[test]
fn a_paste_of_several_lines_is_several_messages_and_a_tab_is_a_part_of_one() {
    let server = Serving::start("127.0.0.1:0");
    let mut terminal = prompt(&server.address("tcp").to_string());
    terminal.shows(">> ");
    terminal.types("\x1b[200~one\rtwo\rthree\r\x1b[201~\r");
    terminal.shows("one  (");
    terminal.shows("two  (");
    terminal.shows("three  (");
    terminal.types("a\tb\r");
    terminal.shows("a\\u{9}b  (");
    ends(terminal, 0);
}

#[test]
fn a_duplicate_of_a_datagram_is_shown_as_that() {
    let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let mut terminal = Terminal::open(&format!("echo client -u {}", socket.local_addr().unwrap()));
    let mut buffer = [0; 64];
    terminal.types("one\r");
    let (_, client) = socket.recv_from(&mut buffer).unwrap();
    socket.send_to(b"one", client).unwrap();
    terminal.shows("one  (");
    terminal.types("two\r");
    socket.recv_from(&mut buffer).unwrap();
    for reply in ["one", "two"] {
        socket.send_to(reply.as_bytes(), client).unwrap();
    }
    terminal.shows("once more: one");
    terminal.shows("two  (");
    ends(terminal, 0);
}

#[test]
fn a_line_that_is_not_utf_8_is_said_and_the_prompt_goes_on() {
    let server = Serving::start("127.0.0.1:0");
    let line = format!("echo client {}", server.address("tcp"));
    let mut terminal = Terminal::open(&line);
    terminal.shows(">> ");
    terminal.types_bytes(b"gr\xfc\xdfe\r");
    terminal.shows("that line is not UTF-8");
    terminal.shows(">> ");
    terminal.types("next\r");
    terminal.shows("next  (");
    ends(terminal, 1);
    // What the terminal has edited itself is read line by line.
    let mut terminal = Terminal::open_by("echo now; read -r first;", &line);
    terminal.shows("now");
    terminal.types_bytes(b"first\rgr\xfc\xdfe\rnext\r\x04");
    terminal.shows("that line is not UTF-8");
    terminal.shows("next  (");
    terminal.ends(1);
}

/// The process that was started with exactly these arguments.
fn process(arguments: &[&str]) -> Pid {
    eventually(|| {
        let processes = std::fs::read_dir("/proc").unwrap().flatten();
        let wanted: Vec<u8> =
            arguments.iter().flat_map(|it| [it.as_bytes(), b"\0"].concat()).collect();
        let found = processes
            .filter(|it| std::fs::read(it.path().join("cmdline")).is_ok_and(|line| line == wanted))
            .find_map(|it| it.file_name().to_str()?.parse().ok());
        found.map(Pid::from_raw).ok_or_else(|| format!("no process {arguments:?}"))
    })
}

#[test]
fn a_signal_gives_the_terminal_back_as_it_was() {
    let server = Serving::start("127.0.0.1:0");
    let address = server.address("tcp").to_string();
    for signal in [Signal::SIGTERM, Signal::SIGHUP, Signal::SIGINT, Signal::SIGQUIT] {
        let before = format!(
            "stty -a; {PROGRAM} echo client {address}; echo died of $?; stty -a; echo all;"
        );
        let mut terminal = Terminal::open_by(&format!("trap : INT QUIT; {before}"), "--version");
        let modes = |shown: &str| shown.split_once("intr").unwrap().1.replace("\r\n", " ");
        let mode = modes(&terminal.until("connected to"));
        terminal.shows(">> ");
        terminal.types("abc");
        terminal.shows("abc");
        kill(process(&[PROGRAM, "echo", "client", &address]), signal).unwrap();
        terminal.shows(&format!("died of {}\r\n", 128 + u16::from(number(signal))));
        assert_eq!(modes(&terminal.until("all")).trim(), mode.trim(), "{signal}");
        terminal.ends(0);
    }
}

/// Stops the prompt of `client`, and goes on.
fn stops_and_goes_on(client: &str) {
    let server = Serving::start("127.0.0.1:0");
    let before = format!(
        "set -m; stty -a; {PROGRAM} {client} {}; echo stopped; stty -a; echo all; fg;",
        server.address("tcp")
    );
    let mut terminal = Terminal::open_by(&before, "--version");
    let modes = |shown: &str| shown.split_once("intr").unwrap().1.replace("\r\n", " ");
    let mode = modes(&terminal.until("connected to"));
    terminal.shows(">> ");
    terminal.types("abc");
    terminal.shows("abc");
    terminal.types("\x1a");
    terminal.shows("stopped\r\n");
    assert_eq!(modes(&terminal.until("all")).trim(), mode.trim());
    terminal.shows(">> abc");
    terminal.types("def\r");
    terminal.shows("abcdef  (");
    ends(terminal, 0);
}

#[test]
fn ctrl_z_gives_the_terminal_back_until_it_goes_on() {
    stops_and_goes_on("echo client");
}

#[test]
fn ctrl_z_finds_a_prompt_of_another_namespace_which_has_a_thread_of_its_own() {
    live(&[], || stops_and_goes_on("echo client --netns /proc/self/ns/net"));
}

#[test]
fn ctrl_z_stops_also_the_wait_for_a_reply() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let client = format!("{PROGRAM} echo client --timeout 60s {address}");
    let mut terminal =
        Terminal::open_by(&format!("set -m; {client}; echo stopped; fg;"), "--version");
    terminal.shows(">> ");
    terminal.types("one\r");
    let (mut stream, _) = listener.accept().unwrap();
    stream.read_exact(&mut [0; 4]).unwrap();
    terminal.types("\x1a");
    terminal.shows("stopped\r\n");
    stream.write_all(b"one\n").unwrap();
    terminal.shows("one  (");
    ends(terminal, 0);
}

#[test]
fn ctrl_c_ends_also_the_wait_for_a_reply() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let mut terminal = Terminal::open(&format!("echo client --timeout 60s {address}"));
    terminal.shows(">> ");
    terminal.types("one\r");
    let (mut stream, _) = listener.accept().unwrap();
    stream.read_exact(&mut [0; 4]).unwrap();
    terminal.types("\x03");
    terminal.ends(130);
}
