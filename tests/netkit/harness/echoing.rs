//! `netkit echo server` at work, and clients of it that are the standard library's.

use std::io::{BufRead as _, BufReader, Read};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use super::command::PROGRAM;
use super::waiting::DEADLINE;

/// A server that runs. It is killed if the test ends before it.
pub struct Serving {
    child: Child,
    out: BufReader<Box<dyn Read + Send + Sync>>,
    /// Where it serves.
    pub addresses: Vec<String>,
}

/// How a server has ended.
#[derive(Debug)]
pub struct Served {
    /// The exit code.
    pub code: Option<i32>,
    /// What it has written after its addresses.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Serving {
    /// `netkit echo server` with the words of `line`, which has one address.
    #[track_caller]
    pub fn start(line: &str) -> Self {
        Self::by(Command::new(PROGRAM), line, 1)
    }

    /// The same with so many addresses.
    #[track_caller]
    pub fn at(addresses: usize, line: &str) -> Self {
        Self::by(Command::new(PROGRAM), line, addresses)
    }

    /// The same by `command`, which ends in the program.
    #[track_caller]
    pub fn by(mut command: Command, line: &str, addresses: usize) -> Self {
        command.args(["echo", "server", "--print-address"]).args(line.split_whitespace());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let stdout: Box<dyn Read + Send + Sync> = Box::new(child.stdout.take().unwrap());
        let out = BufReader::new(stdout);
        let mut serving = Self { child, out, addresses: Vec::new() };
        for _ in 0..addresses {
            let address = serving.line();
            assert!(!address.is_empty(), "it does not serve: {:?}", serving.wait());
            serving.addresses.push(address);
        }
        serving
    }

    /// The next line of its output, without its end; empty at the end of all.
    pub fn line(&mut self) -> String {
        let mut line = String::new();
        self.out.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The address of its first socket of `kind`, as in `tcp`.
    #[track_caller]
    pub fn address(&self, kind: &str) -> SocketAddr {
        let scheme = format!("{kind}://");
        let address = self.addresses.iter().find_map(|it| it.strip_prefix(&scheme));
        address.unwrap_or_else(|| panic!("no {kind} in {:?}", self.addresses)).parse().unwrap()
    }

    /// A connection to its first TCP socket.
    #[track_caller]
    pub fn connect(&self) -> TcpStream {
        patient(TcpStream::connect(self.address("tcp")).unwrap())
    }

    /// A UDP socket that is connected to its first one.
    #[track_caller]
    pub fn udp(&self) -> UdpSocket {
        udp_to(self.address("udp"))
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.pid().try_into().unwrap()), signal).unwrap();
    }

    /// Stops it by SIGTERM.
    pub fn stop(self) -> Served {
        self.signal(Signal::SIGTERM);
        self.wait()
    }

    /// Waits for its end.
    pub fn wait(mut self) -> Served {
        let mut stdout = String::new();
        self.out.read_to_string(&mut stdout).unwrap();
        let mut stderr = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
        Served { code: self.child.wait().unwrap().code(), stdout, stderr }
    }

    /// Stops reading what it writes.
    pub fn close_output(&mut self) {
        let (reader, _) = std::io::pipe().unwrap();
        self.out = BufReader::new(Box::new(reader));
    }

    /// The exit code, if it ends within `wait`.
    pub fn code(&mut self, wait: Duration) -> Option<i32> {
        let end = Instant::now() + wait;
        while Instant::now() < end {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        None
    }

    /// The signal that has ended it, if it has ended.
    pub fn died_of(&mut self) -> Option<Signal> {
        let number = self.child.try_wait().unwrap()?.signal()?;
        Signal::try_from(number).ok()
    }

    /// How long it has been on a processor.
    pub fn cpu(&self) -> Duration {
        let path = format!("/proc/{}/schedstat", self.pid());
        let text = std::fs::read_to_string(path).unwrap();
        Duration::from_nanos(text.split_whitespace().next().unwrap().parse().unwrap())
    }

    /// Its memory in KiB.
    pub fn rss_kib(&self) -> u64 {
        let text = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().strip_suffix(" kB").unwrap().parse().unwrap()
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // Of one that has ended, both do nothing.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Served {
    /// Demands this exit code.
    #[track_caller]
    pub fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self:#?}");
        self
    }

    /// The last JSON object of its output, which is its statistics.
    #[track_caller]
    pub fn statistics(&self) -> Value {
        let start = self.stdout.rfind("\n{\n").map_or(0, |at| at + 1);
        serde_json::from_str(&self.stdout[start..]).unwrap_or_else(|error| {
            panic!("{error} in {self:#?}");
        })
    }

    /// The lines of its log, which is JSON.
    #[track_caller]
    pub fn log(&self) -> Vec<Value> {
        let lines = self.stdout.lines().filter(|line| line.contains("netkit.echo_connection/1"));
        lines.map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

/// How many of `statistics`' connections ended so.
pub fn ended(statistics: &Value, end: &str) -> u64 {
    let all = statistics["connections"]["ended"].as_array().unwrap();
    let own = all.iter().find(|it| it["end"] == end);
    own.map_or(0, |it| it["connections"].as_u64().unwrap())
}

/// How many of `statistics`' datagrams were refused so.
pub fn refused(statistics: &Value, reason: &str) -> u64 {
    let all = statistics["datagrams"]["refused"].as_array().unwrap();
    let own = all.iter().find(|it| it["reason"] == reason);
    own.map_or(0, |it| it["datagrams"].as_u64().unwrap())
}

/// A connection whose reads do not wait for ever.
pub fn patient(stream: TcpStream) -> TcpStream {
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    stream
}

/// How long a reply is waited for that is not to come.
const MOMENT: Duration = Duration::from_millis(300);

/// A UDP socket that is connected to `address`.
#[track_caller]
pub fn udp_to(address: SocketAddr) -> UdpSocket {
    let any = if address.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
    let socket = UdpSocket::bind(any).unwrap();
    socket.connect(address).unwrap();
    socket
}

/// Sends a datagram; the reply.
#[track_caller]
pub fn asked(socket: &UdpSocket, datagram: &[u8]) -> Vec<u8> {
    socket.send(datagram).unwrap();
    within(socket, DEADLINE).unwrap_or_else(|| panic!("no reply to {} bytes", datagram.len()))
}

/// Sends a datagram to which no reply is to come.
#[track_caller]
pub fn unanswered(socket: &UdpSocket, datagram: &[u8]) {
    socket.send(datagram).unwrap();
    let reply = within(socket, MOMENT);
    assert!(reply.is_none(), "a reply of {:?} bytes", reply.map(|it| it.len()));
}

fn within(socket: &UdpSocket, wait: Duration) -> Option<Vec<u8>> {
    socket.set_read_timeout(Some(wait)).unwrap();
    let mut reply = vec![0; 65_536];
    let length = socket.recv(&mut reply).ok()?;
    reply.truncate(length);
    Some(reply)
}

/// Sends `bytes`, and reads as many.
#[track_caller]
pub fn round_trip(mut stream: impl std::io::Read + std::io::Write, bytes: &[u8]) -> Vec<u8> {
    stream.write_all(bytes).unwrap();
    let mut reply = vec![0; bytes.len()];
    stream.read_exact(&mut reply).unwrap();
    reply
}

/// Reads to the end.
#[track_caller]
pub fn rest(mut stream: impl std::io::Read) -> Vec<u8> {
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).unwrap();
    rest
}
