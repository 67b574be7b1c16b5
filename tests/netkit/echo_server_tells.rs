//! What an echo server tells of itself: to scripts that wait for it, to a service manager, and with `-v`.

use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::harness::command::PROGRAM;
use crate::harness::echoing::{Serving, asked, rest, round_trip};
use crate::harness::netkit;
use crate::harness::seccomp::without_pidfd_getfd;

/// A server that a shell starts with these redirections.
fn redirected(redirections: &str, line: &str) -> Serving {
    let mut command = Command::new("sh");
    command.args(["-c", &format!("exec {PROGRAM} \"$@\" {redirections}"), "sh"]);
    Serving::by(command, line, 1)
}

/// netkit with descriptor 3 on a pipe whose reader has gone: a shell opens it both ways, so as to wait for
/// nobody, and closes the end that reads.
fn onto_a_pipe_without_reader(fifo: &Path) -> Command {
    nix::unistd::mkfifo(fifo, nix::sys::stat::Mode::S_IRWXU).unwrap();
    let script = format!("exec 4<>\"$FIFO\" 3>\"$FIFO\" 4<&-; exec {PROGRAM} \"$@\"");
    let mut command = Command::new("sh");
    command.args(["-c", &script, "sh"]).env("FIFO", fifo);
    command
}

#[test]
fn addresses_alone_are_what_was_asked_for() {
    let server = Serving::start("127.0.0.1:0");
    assert_eq!(round_trip(server.connect(), b"hello"), b"hello");
    let end = server.stop().exits(0);
    assert_eq!((end.stdout.as_str(), end.stderr.as_str()), ("", ""));
    // What was asked for besides comes.
    let end = Serving::start("127.0.0.1:0 --format csv --for 50ms").wait().exits(0);
    assert_eq!(end.stdout.lines().count(), 2, "{end:?}");
    let mut server = Serving::start("127.0.0.1:0 --log text");
    server.signal(nix::sys::signal::Signal::SIGUSR1);
    assert!(server.line().starts_with("Serving on tcp://127.0.0.1:"));
    assert_eq!(round_trip(server.connect(), b"hello"), b"hello");
    let end = server.stop().exits(0);
    assert!(end.stdout.ends_with(": the client closed\n"), "{end:?}");
    assert!(!end.stdout.contains("Served on"), "{end:?}");
}

#[test]
fn what_v_tells_to_nobody_ends_nothing() {
    for line in ["echo server 127.0.0.1:0 --for 50ms -vv", "states -v"] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let full = fs::File::options().write(true).open("/dev/full").unwrap();
        for stderr in [Stdio::from(writer), Stdio::from(full)] {
            let mut command = Command::new(PROGRAM);
            command.args(line.split_whitespace()).stdout(Stdio::null()).stderr(stderr);
            let status = command.status().unwrap();
            assert!(matches!(status.code(), Some(0 | 1)), "{line}: {status}");
        }
    }
}

#[test]
fn what_v_tells_moves_no_cursor() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a\nb\u{1b}[2J");
    let answer = netkit("echo server --for 50ms -v --unix").arg(&path).run().exits(0);
    assert!(answer.stderr.contains("a\\u{a}b"), "{answer}");
    assert!(!answer.stderr.contains('\u{1b}'), "{answer}");
    assert!(answer.stderr.lines().all(|line| line.starts_with(" INFO ")), "{answer}");
}

#[test]
fn a_descriptor_that_cannot_be_written_to_is_a_wrong_argument() {
    let answer = netkit("echo server 127.0.0.1:0 --ready-fd 77").run().exits(2);
    answer.complains("--ready-fd 77: cannot be written to: EBADF (Bad file descriptor)\nhint: ");
    let mut command = Command::new("sh");
    command.args(["-c", &format!("exec {PROGRAM} \"$@\" 4</dev/null"), "sh"]);
    let answer = crate::harness::command::Netkit::by(command, "echo server --ready-fd 4").run();
    answer.exits(2).complains("--ready-fd 4: cannot be written to: EBADF");
    // Not open either, but by then numbers of what netkit has opened itself.
    for fd in 3..9 {
        let mut command = Command::new("sh");
        let closed = (3..10).fold(String::new(), |all, fd| all + &format!(" {fd}>&-"));
        command.args(["-c", &format!("exec {PROGRAM} \"$@\"{closed}"), "sh"]);
        let line = format!("echo server 127.0.0.1:0 --for 50ms --ready-fd {fd}");
        let answer = crate::harness::command::Netkit::by(command, &line).run();
        answer.exits(2).complains(&format!("--ready-fd {fd}: cannot be written to: EBADF"));
    }
}

#[test]
fn a_descriptor_is_written_to_where_it_stands() {
    let directory = tempfile::tempdir().unwrap();
    let ready = directory.path().join("ready");
    fs::write(&ready, "before\n").unwrap();
    let server = redirected(&format!("3>>{}", ready.display()), "127.0.0.1:0 --ready-fd 3");
    let address = server.addresses[0].clone();
    server.stop().exits(0);
    assert_eq!(fs::read_to_string(&ready).unwrap(), format!("before\n{address}\n"));
}

#[test]
fn a_socket_is_a_descriptor_too() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("ready");
    let waits = std::os::unix::net::UnixListener::bind(&path).unwrap();
    let script = "import os, socket, sys\n\
                  ready = socket.socket(socket.AF_UNIX)\n\
                  ready.connect(sys.argv[1])\n\
                  os.dup2(ready.fileno(), 9)\n\
                  os.execv(sys.argv[2], sys.argv[2:])";
    if crate::harness::Need::Python3.lacking().is_some() {
        return;
    }
    let mut command = Command::new("python3");
    command.args(["-c", script]).arg(&path).arg(PROGRAM);
    let server = Serving::by(command, "127.0.0.1:0 --ready-fd 9", 1);
    let (mut told, _) = waits.accept().unwrap();
    let mut line = vec![0; server.addresses[0].len() + 1];
    told.read_exact(&mut line).unwrap();
    assert_eq!(line, format!("{}\n", server.addresses[0]).as_bytes());
    server.stop().exits(0);
    assert_eq!(rest(&told), b"");
}

#[test]
fn in_a_sandbox_that_copies_no_descriptor_it_is_written_to_all_the_same() {
    let directory = tempfile::tempdir().unwrap();
    let ready = directory.path().join("ready");
    fs::write(&ready, "before\n").unwrap();
    without_pidfd_getfd(|| {
        let server = redirected(&format!("3>>{}", ready.display()), "127.0.0.1:0 --ready-fd 3");
        let address = server.addresses[0].clone();
        server.stop().exits(0);
        assert_eq!(fs::read_to_string(&ready).unwrap(), format!("before\n{address}\n"));
        netkit("echo server 127.0.0.1:0 --ready-fd 77").run().exits(2).complains("EBADF");
        // Opening a pipe that has no reader would wait for one.
        let command = onto_a_pipe_without_reader(&directory.path().join("fifo"));
        let line = "echo server 127.0.0.1:0 --ready-fd 3";
        crate::harness::command::Netkit::by(command, line).run().exits(2).complains("ENXIO");
    });
}

#[test]
fn a_server_that_could_not_say_so_serves_and_warns() {
    let directory = tempfile::tempdir().unwrap();
    let gone = directory.path().join("gone");
    let mut command = onto_a_pipe_without_reader(&directory.path().join("fifo"));
    command.env("NOTIFY_SOCKET", &gone);
    let server = Serving::by(command, "127.0.0.1:0 --ready-fd 3 --json", 1);
    assert_eq!(round_trip(server.connect(), b"hello"), b"hello");
    let end = server.stop().exits(0);
    let warnings = end.statistics()["warnings"].clone();
    for (index, words) in [
        "--ready-fd 3 could not be told where it serves: EPIPE",
        "the service manager at NOTIFY_SOCKET was not told: ENOENT",
    ]
    .iter()
    .enumerate()
    {
        assert!(end.stderr.contains(&format!("netkit: warning: {words}")), "{end:?}");
        assert!(warnings[index].as_str().unwrap().starts_with(words), "{warnings}");
    }
}

#[test]
fn a_reader_of_what_v_tells_that_does_not_read_holds_nothing_up() {
    let directory = tempfile::tempdir().unwrap();
    let fifo = directory.path().join("fifo");
    nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).unwrap();
    let _reader = fs::File::options().read(true).write(true).open(&fifo).unwrap();
    let mut command = Command::new("sh");
    command.args(["-c", &format!("exec {PROGRAM} \"$@\" 2>\"$FIFO\""), "sh"]).env("FIFO", &fifo);
    let server = Serving::by(command, "127.0.0.1:0 -v --json", 1);
    // More lines than a pipe holds.
    for _ in 0..1000 {
        assert_eq!(round_trip(server.connect(), b"hello"), b"hello");
    }
    assert_eq!(server.stop().exits(0).statistics()["connections"]["accepted"], 1000);
}

#[test]
fn whoever_does_not_read_the_news_holds_nothing_up() {
    let directory = tempfile::tempdir().unwrap();
    let notify = directory.path().join("notify");
    let _manager = UnixDatagram::bind(&notify).unwrap();
    let others = UnixDatagram::unbound().unwrap();
    others.set_nonblocking(true).unwrap();
    while others.send_to(b"READY=1", &notify).is_ok() {}
    let fifo = directory.path().join("fifo");
    nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).unwrap();
    let mut options = fs::File::options();
    options.read(true).write(true).custom_flags(nix::libc::O_NONBLOCK);
    let mut reader = options.open(&fifo).unwrap();
    while reader.write(&[b'x'; 1000]).is_ok() {}
    while reader.write(b"x").is_ok() {}
    let mut command = Command::new("sh");
    command.args(["-c", &format!("exec {PROGRAM} \"$@\" 3>\"$FIFO\""), "sh"]);
    command.env("FIFO", &fifo).env("NOTIFY_SOCKET", &notify);
    let server = Serving::by(command, "127.0.0.1:0 --ready-fd 3 --json", 1);
    assert_eq!(round_trip(server.connect(), b"hello"), b"hello");
    let end = server.stop().exits(0);
    for words in [
        "--ready-fd 3 could not be told where it serves: EAGAIN (it is full, and nobody has read",
        "the service manager at NOTIFY_SOCKET was not told: EAGAIN (it is full, and nobody has read",
    ] {
        assert!(end.stderr.contains(&format!("netkit: warning: {words}")), "{end:?}");
    }
    // Nor was any part of it written.
    let mut there = vec![0; 1 << 20];
    let length = reader.read(&mut there).unwrap();
    assert!(there[..length].iter().all(|byte| *byte == b'x'));
}

#[test]
fn an_address_is_a_line_whatever_its_name() {
    let directory = tempfile::tempdir().unwrap();
    let notify = directory.path().join("notify");
    let ready = directory.path().join("ready");
    let manager = UnixDatagram::bind(&notify).unwrap();
    manager.set_read_timeout(Some(crate::harness::waiting::DEADLINE)).unwrap();
    let mut command = Command::new("sh");
    command.args(["-c", &format!("exec {PROGRAM} \"$@\" 3>{}", ready.display()), "sh"]);
    let answer = crate::harness::command::Netkit::by(
        command,
        "echo server --print-address --ready-fd 3 --for 50ms",
    )
    .arg(format!("unix:{}/a\nSTOPPING=1\\b\u{1b}[m", directory.path().display()))
    .env("NOTIFY_SOCKET", notify.to_str().unwrap())
    .run()
    .exits(0)
    .quietly();
    let place = directory.path().display();
    let line = format!("unix:{place}/a\\u{{a}}STOPPING=1\\\\b\\u{{1b}}[m\n");
    assert_eq!(answer.stdout, line);
    assert_eq!(fs::read_to_string(&ready).unwrap(), line);
    let mut message = [0; 300];
    let length = manager.recv(&mut message).unwrap();
    let message = String::from_utf8_lossy(&message[..length]).into_owned();
    assert_eq!(message.lines().count(), 2, "{message:?}");
    assert!(message.contains("\nSTATUS=serving on unix:"), "{message:?}");
}

#[test]
fn what_it_does_is_told_once_or_in_detail() {
    let told = |verbose: &str| {
        let server = Serving::at(2, &format!("{verbose} 127.0.0.1:0 udp://127.0.0.1:0"));
        let stream = server.connect();
        let peer = stream.local_addr().unwrap();
        assert_eq!(round_trip(&stream, b"hello"), b"hello");
        drop(stream);
        let client = server.udp();
        client.send(b"").unwrap();
        // The first of two is not answered, or its reply came first.
        assert_eq!(asked(&client, b"hello"), b"hello");
        let address = server.addresses[0].clone();
        let told = server.stop().exits(0).stderr;
        for words in [
            format!("listening address={address}"),
            format!("taken id=1 peer=\"{peer}\" at={address}"),
            "ended id=1 received=5 sent=5 why=\"the client closed\"".to_owned(),
            "takes nothing more why=Signal".to_owned(),
        ] {
            assert!(told.contains(&words), "{words} in {told}");
        }
        told
    };
    assert!(!told("-v").contains("DEBUG"));
    let detail = told("-vv");
    assert!(detail.contains("options of the socket"), "{detail}");
    assert!(detail.contains("length=0 why=\"empty\""), "{detail}");
}
