//! `netkit echo` and the programs that people use besides: socat, ncat, OpenBSD's nc, Python's socket
//! and asyncio. Each as a client of netkit's server and as a server of netkit's client, over TCP, UDP and
//! Unix sockets.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;

use tempfile::TempDir;

use crate::harness::command::{PROGRAM, in_repository};
use crate::harness::echoing::{Serving, ended};
use crate::harness::{Need, eventually, live, netkit};

const PEERS: [Need; 4] = [Need::Socat, Need::Ncat, Need::Nc, Need::Python3];
/// Bytes that are streamed through each.
const STREAM: usize = 4 << 20;

/// Bytes that do not repeat within a buffer.
fn bytes(length: usize) -> Vec<u8> {
    (0..length).map(|at| u8::try_from((at * 31 + at / 8191) % 256).unwrap()).collect()
}

/// What a shell's `line` gives back of `input`, and its exit code.
#[track_caller]
fn through(line: &str, input: &[u8]) -> (Vec<u8>, Option<i32>) {
    let mut child = piped(line);
    let (mut stdin, mut stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let mut came = Vec::new();
    thread::scope(|scope| {
        // Whoever ends early reads no more.
        scope.spawn(move || drop(stdin.write_all(input)));
        stdout.read_to_end(&mut came).unwrap();
    });
    (came, child.wait().unwrap().code())
}

/// What a shell's `line` gives back of a `datagram`. Nothing says that a datagram was the last one: its
/// input ends when the reply has come.
fn asked(line: &str, datagram: &[u8]) -> Vec<u8> {
    let mut child = piped(line);
    let (mut stdin, mut stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    stdin.write_all(datagram).unwrap();
    let mut came = vec![0; datagram.len()];
    stdout.read_exact(&mut came).unwrap_or_else(|error| panic!("{line}: {error}"));
    drop(stdin);
    child.wait().unwrap();
    came
}

/// A shell's `line` between two pipes, for 20 seconds at most.
fn piped(line: &str) -> Child {
    let mut command = Command::new("sh");
    command.args(["-c", &format!("exec timeout 20 {line}")]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap()
}

/// A peer that serves, with its children; killed at the end.
struct Peer(Child);

impl Peer {
    /// `sh -c line`, in a process group of its own.
    fn start(line: &str) -> Self {
        use std::os::unix::process::CommandExt as _;
        let mut command = Command::new("sh");
        command.args(["-c", line]).process_group(0).stdin(Stdio::null()).stdout(Stdio::piped());
        Self(command.spawn().unwrap())
    }

    /// One of peers/servers.py, when it serves.
    #[track_caller]
    fn python(what: &str, place: &str) -> Self {
        let script = in_repository("tests/netkit/peers/servers.py");
        let mut peer = Self::start(&format!("exec python3 {} {what} {place}", script.display()));
        let mut line = String::new();
        BufReader::new(peer.0.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "ready\n", "{what}");
        peer
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let group = nix::unistd::Pid::from_raw(i32::try_from(self.0.id()).unwrap());
        // Of one that has ended, both do nothing.
        nix::sys::signal::killpg(group, nix::sys::signal::Signal::SIGKILL).unwrap_or_default();
        drop(self.0.wait());
    }
}

/// netkit's server on a socket of each kind, and its directory.
fn serve(options: &str) -> (Serving, u16, String, TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("socket").display().to_string();
    let line = format!("127.0.0.1:7000 --tcp --udp --unix {path} {options}");
    let server = Serving::at(3, &line);
    let port = server.address("tcp").port();
    (server, port, path, directory)
}

/// A client of peers/clients.py against netkit's server; what it says is what is wrong.
#[track_caller]
fn python(what: &str, port: u16, path: &str) {
    let script = in_repository("tests/netkit/peers/clients.py");
    let mut command = Command::new("python3");
    command.arg(script).arg(what).arg(port.to_string()).arg(path);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{what}: {}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn the_tools_are_served() {
    live(&PEERS, || {
        let (server, port, path, _directory) = serve("");
        let input = bytes(STREAM);
        for line in [
            format!("socat -t20 - TCP:127.0.0.1:{port}"),
            format!("socat -t20 - UNIX-CONNECT:{path}"),
            format!("ncat 127.0.0.1 {port}"),
            format!("ncat -U {path}"),
            format!("nc.openbsd -N 127.0.0.1 {port}"),
            format!("nc.openbsd -N -U {path}"),
        ] {
            let (came, code) = through(&line, &input);
            assert!(came == input, "{line}: {} of {} bytes", came.len(), input.len());
            assert_eq!(code, Some(0), "{line}");
        }
        for line in [
            format!("socat - UDP:127.0.0.1:{port}"),
            format!("ncat -u 127.0.0.1 {port}"),
            format!("nc.openbsd -u -w1 127.0.0.1 {port}"),
        ] {
            assert_eq!(asked(&line, b"a datagram"), b"a datagram", "{line}");
        }
        server.stop().exits(0);
    });
}

#[test]
fn the_tools_serve() {
    live(&PEERS, || {
        let directory = tempfile::tempdir().unwrap();
        let place = |name: &str| directory.path().join(name).display().to_string();
        let (socat, ncat, fifo) = (place("socat"), place("ncat"), place("fifo"));
        let nc = format!("mkfifo {fifo}; nc.openbsd -lN 127.0.0.1 7003 <{fifo} | cat >{fifo}");
        // Once there is more in its pipe than that holds, socat waits for ever to write to what it alone
        // reads: over TCP it is given no more, and a Unix stream is sent with care.
        for (server, target, length) in [
            (
                "socat -t20 TCP-LISTEN:7001,fork PIPE".to_owned(),
                "tcp://127.0.0.1:7001".to_owned(),
                48 << 10,
            ),
            (format!("socat -t20 UNIX-LISTEN:{socat},fork PIPE"), format!("unix:{socat}"), STREAM),
        ] {
            let input = bytes(length);
            let _peer = Peer::start(&server);
            listens(&target);
            let (came, code) = through(&format!("{PROGRAM} echo client {target}"), &input);
            assert!(came == input, "{server}: {} of {} bytes", came.len(), input.len());
            assert_eq!(code, Some(0), "{server}");
        }
        // These end with the client's half-close, whatever is still in their pipes, and wait for ever
        // where both pipes are full: they are asked, and answer.
        for (server, target) in [
            ("ncat -lk 127.0.0.1 7002 -e /bin/cat".to_owned(), "tcp://127.0.0.1:7002".to_owned()),
            (format!("ncat -lkU {ncat} -e /bin/cat"), format!("unix:{ncat}")),
            (nc, "tcp://127.0.0.1:7003".to_owned()),
        ] {
            let _peer = Peer::start(&server);
            listens(&target);
            let line = format!("echo client --verify {target} hello again");
            netkit(&line).run().is(0, "hello\nagain\n", "");
        }
        for (server, target) in [
            ("socat UDP-RECVFROM:7004,fork PIPE", "udp://127.0.0.1:7004"),
            ("ncat -lu 127.0.0.1 7005 -e /bin/cat", "udp://127.0.0.1:7005"),
        ] {
            let _peer = Peer::start(server);
            eventually(|| {
                let seen = netkit(&format!("echo client --verify {target} hello")).run();
                if seen.code == Some(0) { Ok(()) } else { Err(format!("{server}: {seen:?}")) }
            });
        }
    });
}

/// Waits until somebody listens at `target`, which takes no connection: nc serves one.
#[track_caller]
fn listens(target: &str) {
    let Some(path) = target.strip_prefix("unix:") else {
        let port = target.rsplit(':').next().unwrap();
        netkit(&format!("wait listen:{port} --timeout 10s")).run().exits(0);
        return;
    };
    eventually(
        || {
            if Path::new(path).exists() { Ok(()) } else { Err(format!("there is no {path}")) }
        },
    );
}

#[test]
fn python_is_served_in_random_pieces_and_slowly() {
    live(&[Need::Python3], || {
        let (server, port, path, _directory) = serve("--json");
        for what in ["random_chunks", "slow_reader", "half_close", "datagrams"] {
            python(what, port, &path);
        }
        let statistics = server.stop().exits(0).statistics();
        assert_eq!(ended(&statistics, "peer_closed"), 6, "{statistics:#}");
    });
}

#[test]
fn python_is_served_a_thousand_at_once_and_resets_in_the_middle_harm_nobody_else() {
    live(&[Need::Python3], || {
        let (server, port, path, _directory) = serve("--json");
        python("thousand", port, &path);
        python("reset", port, &path);
        let statistics = server.stop().exits(0).statistics();
        assert_eq!(ended(&statistics, "peer_reset"), 20, "{statistics:#}");
        assert_eq!(ended(&statistics, "peer_closed"), 1001, "{statistics:#}");
    });
}

#[test]
fn python_serves() {
    live(&[Need::Python3], || {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("socket").display().to_string();
        let input = bytes(100 << 20);
        for what in ["plain", "streams"] {
            for (place, target) in [("7001", "127.0.0.1:7001"), (&path, path.as_str())] {
                let _peer = Peer::python(what, place);
                let (came, code) = through(&format!("{PROGRAM} echo client {target}"), &input);
                assert!(came == input, "{what} at {place}: {} of {}", came.len(), input.len());
                assert_eq!(code, Some(0), "{what} at {place}");
                drop(std::fs::remove_file(&path));
            }
        }
        let _datagrams = Peer::python("datagrams", "7002");
        netkit("echo client -n 1k -c 4 -s 32-1400 udp://127.0.0.1:7002").run().exits(0);
        let _streams = Peer::python("streams", "7003");
        let load = netkit("echo client -n 5k -c 1k --json 127.0.0.1:7003").run().exits(0).json();
        assert_eq!((&load["received"], &load["corrupted"]), (&5000.into(), &0.into()), "{load:#}");
    });
}

#[test]
fn a_peer_that_resets_in_the_middle_is_named() {
    live(&[Need::Python3], || {
        let _peer = Peer::python("reset", "7001");
        let line = format!("{PROGRAM} echo client 127.0.0.1:7001 2>&1 >/dev/null");
        let (said, code) = through(&line, &bytes(STREAM));
        let said = String::from_utf8_lossy(&said);
        assert_eq!(code, Some(1), "{said}");
        // Whether sending or receiving meets it first is the kernel's choice.
        assert!(said.contains("ECONNRESET") || said.contains("EPIPE"), "{said}");
        assert!(said.contains("127.0.0.1:7001"), "{said}");
    });
}

#[test]
fn the_client_and_the_server_of_the_tutorials_find_their_other_half() {
    live(&[Need::Python3], || {
        let (server, port, path, _directory) = serve("--transform upper");
        python("tutorial", port, &path);
        server.stop().exits(0);
        let _peer = Peer::python("upper", "7001");
        netkit("echo client --transform upper -N 127.0.0.1:7001 hello grüße").run().is(
            0,
            "HELLO\nGRÜSSE\n",
            "",
        );
    });
}
