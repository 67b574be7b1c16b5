//! Sockets one a line, as they come: 400,000 rows are written through one buffer and never held.
//!
//! This is the inner loop of `states --list`, so the text and JSON forms are put together by hand;
//! a test holds the JSON one against a real parser.

use std::collections::HashMap;
use std::io::{self, Write};
use std::net::Ipv4Addr;

use super::line::{Line, Word};
use super::{Format, sanitize};
use crate::model::{
    Address, Endpoint, Family, Protocol, Socket, StateClass, TcpState, Timer, TimerKind,
};

/// Bytes after which the buffer is handed on. Pipes take 64 KiB at once.
const FULL: usize = 64 * 1024 - JSON_ROW;
/// Bytes of a row of text at most: two IPv6 addresses and an interface's name, escaped, are 280.
const TEXT_ROW: usize = 320;
/// Bytes of a row of JSON at most: the same makes 430.
const JSON_ROW: usize = 512;

const TEXT_HEADER: &str = "PROTO STATE       LOCAL                 REMOTE                RECV-Q SEND-Q TIMER           \
     UID INODE\n";
const CSV_HEADER: [&str; 17] = [
    "protocol",
    "family",
    "state",
    "local_address",
    "local_port",
    "remote_address",
    "remote_port",
    "v4_mapped",
    "recv_queue",
    "send_queue",
    "timer",
    "expires_ms",
    "retransmits",
    "uid",
    "inode",
    "interface",
    "cookie",
];

/// Writes rows in one of the formats. The columns are the same whatever the rows are.
pub struct RowWriter<'a> {
    out: &'a mut dyn Write,
    format: Format,
    buffer: Vec<u8>,
    interfaces: HashMap<u32, String>,
    addresses: Addresses,
    is_first: bool,
}

impl<'a> RowWriter<'a> {
    /// A writer to `out`; `interfaces` has the names of interfaces by their index.
    pub fn new(out: &'a mut dyn Write, format: Format, interfaces: HashMap<u32, String>) -> Self {
        let buffer = Vec::with_capacity(FULL + 2 * JSON_ROW);
        Self { out, format, buffer, interfaces, addresses: Addresses::new(), is_first: true }
    }

    /// Writes what stands above the rows: the heading; in JSON the object's beginning.
    pub fn begin(&mut self) -> io::Result<()> {
        match self.format {
            Format::Table | Format::Markdown => self.buffer.extend(TEXT_HEADER.bytes()),
            Format::Csv => self.csv_record(CSV_HEADER)?,
            Format::Json => self.buffer.extend(b"{\"sockets\":["),
            Format::Ndjson => {}
        }
        Ok(())
    }

    /// Writes one row.
    pub fn row(&mut self, socket: &Socket) -> io::Result<()> {
        match self.format {
            Format::Table | Format::Markdown => self.text(socket),
            Format::Csv => self.csv(socket)?,
            Format::Json => {
                self.buffer.extend(if self.is_first { &b"\n"[..] } else { &b",\n"[..] });
                self.json(socket);
            }
            Format::Ndjson => {
                self.json(socket);
                self.buffer.push(b'\n');
            }
        }
        self.is_first = false;
        if self.buffer.len() < FULL { Ok(()) } else { self.flush() }
    }

    /// Writes what stands below the rows, and hands all on. In JSON the object stays open.
    pub fn end(mut self) -> io::Result<()> {
        if self.format == Format::Json {
            self.buffer.extend(b"\n],\n");
        }
        self.flush()
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.write_all(&self.buffer)?;
        self.buffer.clear();
        Ok(())
    }

    fn text(&mut self, socket: &Socket) {
        let interface = self.interface(socket);
        let mut line = Line::<TEXT_ROW>::new();
        match socket.protocol {
            Protocol::Tcp => line.put(b"tcp"),
            Protocol::Udp => line.put(b"udp"),
        }
        line.column(6);
        put_state(&mut line, socket);
        line.column(18);
        self.addresses.put_end(&mut line, socket.local, interface.as_deref());
        line.column(40);
        self.addresses.put_end(&mut line, socket.remote, None);
        line.column(62);
        // Empty queues, and below no owner, are one store each: so are those of every TIME_WAIT.
        if (socket.recv_queue, socket.send_queue) == (0, Some(0)) {
            line.put(b"0      0");
        } else {
            line.integer(socket.recv_queue.into());
            line.column(69);
            optional(&mut line, socket.send_queue, b"-");
        }
        line.column(76);
        text_timer(&mut line, socket.timer);
        line.column(92);
        if (socket.uid, socket.inode) == (None, None) {
            line.put(b"- -\n");
        } else {
            optional(&mut line, socket.uid, b"-");
            line.put(b" ");
            optional(&mut line, socket.inode, b"-");
            line.put(b"\n");
        }
        self.buffer.extend_from_slice(line.as_bytes());
    }

    /// The name of the interface that the socket is bound to, or its index in digits.
    #[inline]
    fn interface(&self, socket: &Socket) -> Option<String> {
        let index = socket.interface?;
        Some(self.interfaces.get(&index).cloned().unwrap_or_else(|| index.to_string()))
    }

    fn json(&mut self, socket: &Socket) {
        let interface = self.interface(socket);
        let mut line = Line::<JSON_ROW>::new();
        match (socket.protocol, socket.family) {
            (Protocol::Tcp, Family::Ipv4) => {
                line.put(b"{\"protocol\":\"tcp\",\"family\":\"ipv4\",\"state\":\"");
            }
            (Protocol::Tcp, Family::Ipv6) => {
                line.put(b"{\"protocol\":\"tcp\",\"family\":\"ipv6\",\"state\":\"");
            }
            (Protocol::Udp, Family::Ipv4) => {
                line.put(b"{\"protocol\":\"udp\",\"family\":\"ipv4\",\"state\":\"");
            }
            (Protocol::Udp, Family::Ipv6) => {
                line.put(b"{\"protocol\":\"udp\",\"family\":\"ipv6\",\"state\":\"");
            }
        }
        put_state(&mut line, socket);
        line.put(b"\",\"local\":");
        self.addresses.put_json(&mut line, socket.local);
        line.put(b",\"remote\":");
        self.addresses.put_json(&mut line, socket.remote);
        if (socket.v4_mapped, socket.recv_queue, socket.send_queue) == (false, 0, Some(0)) {
            line.put(b",\"v4_mapped\":false,\"recv_queue\":0,\"send_queue\":0");
        } else {
            line.put(b",\"v4_mapped\":");
            line.text(if socket.v4_mapped { "true" } else { "false" });
            line.put(b",\"recv_queue\":");
            line.integer(socket.recv_queue.into());
            line.put(b",\"send_queue\":");
            optional(&mut line, socket.send_queue, b"null");
        }
        json_timer(&mut line, socket.timer);
        if (socket.uid, socket.inode, &interface) == (None, None, &None) {
            line.put(b",\"uid\":null,\"inode\":null,\"interface\":null,\"cookie\":");
        } else {
            line.put(b",\"uid\":");
            optional(&mut line, socket.uid, b"null");
            line.put(b",\"inode\":");
            optional(&mut line, socket.inode, b"null");
            line.put(b",\"interface\":");
            match interface {
                None => line.put(b"null"),
                Some(name) => line.text(&serde_json::Value::from(name).to_string()),
            }
            line.put(b",\"cookie\":");
        }
        match socket.cookie {
            None => line.put(b"null"),
            Some(cookie) => line.integer(cookie),
        }
        line.put(b"}");
        self.buffer.extend_from_slice(line.as_bytes());
    }

    fn csv(&mut self, socket: &Socket) -> io::Result<()> {
        let text = |number: Option<u64>| number.map(|n| n.to_string()).unwrap_or_default();
        let timer = socket.timer;
        self.csv_record([
            socket.protocol.name().to_owned(),
            socket.family.name().to_owned(),
            state_name(socket).into_owned(),
            socket.local.address.to_string(),
            socket.local.port.to_string(),
            socket.remote.address.to_string(),
            socket.remote.port.to_string(),
            socket.v4_mapped.to_string(),
            socket.recv_queue.to_string(),
            text(socket.send_queue.map(u64::from)),
            timer.map(|timer| timer.kind.name().into_owned()).unwrap_or_default(),
            text(timer.map(|timer| timer.expires_ms.into())),
            text(timer.map(|timer| timer.retransmits.into())),
            text(socket.uid.map(u64::from)),
            text(socket.inode.map(u64::from)),
            self.interface(socket).unwrap_or_default(),
            text(socket.cookie),
        ])
    }

    fn csv_record<T: AsRef<[u8]>>(&mut self, fields: [T; 17]) -> io::Result<()> {
        let mut writer = csv::Writer::from_writer(&mut self.buffer);
        writer.write_record(fields)?;
        writer.flush()
    }
}

/// IPv4 addresses of rows before, ready to be put: most rows share theirs with others.
struct Addresses {
    words: Box<[(Ipv4Addr, Word); 256]>,
}

impl Addresses {
    fn new() -> Self {
        Self { words: Box::new([(Ipv4Addr::UNSPECIFIED, Word::new("0.0.0.0")); 256]) }
    }

    #[inline]
    fn put<const N: usize>(&mut self, line: &mut Line<N>, address: Address) {
        let Some(ipv4) = address.ipv4() else {
            return line.address(address.to_ip());
        };
        // Both ends of a connection often differ in one octet alone: each has its part in the place.
        let [first, second, third, fourth] = ipv4.octets();
        let place = first.rotate_left(2) ^ second.rotate_left(5) ^ third ^ fourth.rotate_left(1);
        let Some((held, word)) = self.words.get_mut(usize::from(place)) else {
            return;
        };
        if *held != ipv4 {
            (*held, *word) = (ipv4, Word::new(&ipv4.to_string()));
        }
        line.word(word);
    }

    /// `10.0.0.1%eth0:80`
    #[inline]
    fn put_end<const N: usize>(
        &mut self,
        line: &mut Line<N>,
        end: Endpoint,
        interface: Option<&str>,
    ) {
        if end.address.is_ipv4() {
            self.put(line, end.address);
        } else {
            line.put(b"[");
            self.put(line, end.address);
            line.put(b"]");
        }
        if let Some(name) = interface {
            line.put(b"%");
            line.text(&sanitize(name));
        }
        line.put(b":");
        match end.port {
            0 => line.put(b"*"),
            port => line.integer(port.into()),
        }
    }

    #[inline]
    fn put_json<const N: usize>(&mut self, line: &mut Line<N>, end: Endpoint) {
        line.put(b"{\"address\":\"");
        self.put(line, end.address);
        line.put(b"\",\"port\":");
        line.integer(end.port.into());
        line.put(b"}");
    }
}

/// `time_wait:59.9s`; `due` for what the kernel will end any moment; `/3` for retransmissions.
#[inline]
fn text_timer<const N: usize>(line: &mut Line<N>, timer: Option<Timer>) {
    let Some(timer) = timer else {
        return line.put(b"-");
    };
    put_timer(line, timer.kind);
    if timer.expires_ms == 0 {
        line.put(b":due");
    } else {
        line.put(b":");
        line.integer((timer.expires_ms / 1000).into());
        line.put(b".");
        line.integer((timer.expires_ms % 1000 / 100).into());
        line.put(b"s");
    }
    if timer.retransmits > 0 {
        line.put(b"/");
        line.integer(timer.retransmits.into());
    }
}

#[inline]
fn json_timer<const N: usize>(line: &mut Line<N>, timer: Option<Timer>) {
    let Some(timer) = timer else {
        return line.put(b",\"timer\":null");
    };
    line.put(b",\"timer\":{\"kind\":\"");
    put_timer(line, timer.kind);
    line.put(b"\",\"expires_ms\":");
    line.integer(timer.expires_ms.into());
    line.put(b",\"retransmits\":");
    line.integer(timer.retransmits.into());
    line.put(b"}");
}

#[inline]
fn optional<const N: usize, const M: usize>(
    line: &mut Line<N>,
    number: Option<u32>,
    absent: &[u8; M],
) {
    match number {
        Some(number) => line.integer(number.into()),
        None => line.put(absent),
    }
}

/// The names that come in every row, ready to be put.
const STATES: [Word; 14] = [
    Word::new(""),
    Word::new("ESTABLISHED"),
    Word::new("SYN_SENT"),
    Word::new("SYN_RECV"),
    Word::new("FIN_WAIT1"),
    Word::new("FIN_WAIT2"),
    Word::new("TIME_WAIT"),
    Word::new("CLOSE"),
    Word::new("CLOSE_WAIT"),
    Word::new("LAST_ACK"),
    Word::new("LISTEN"),
    Word::new("CLOSING"),
    Word::new("NEW_SYN_RECV"),
    Word::new("BOUND_INACTIVE"),
];

#[inline]
fn put_state<const N: usize>(line: &mut Line<N>, socket: &Socket) {
    let code = usize::from(socket.state.code());
    match STATES.get(code) {
        Some(word) if socket.protocol == Protocol::Tcp && code > 0 => line.word(word),
        _ => line.text(&state_name(socket)),
    }
}

#[inline]
fn put_timer<const N: usize>(line: &mut Line<N>, kind: TimerKind) {
    const TIME_WAIT: Word = Word::new("time_wait");
    match kind {
        TimerKind::TIME_WAIT => line.word(&TIME_WAIT),
        kind => line.text(&kind.name()),
    }
}

/// The kernel's name of the state: `UNCONN` for UDP, and no word of its own for a mini-socket.
fn state_name(socket: &Socket) -> std::borrow::Cow<'static, str> {
    match socket.class() {
        StateClass::FinWait2Mini => TcpState::FIN_WAIT2.name(),
        class @ (StateClass::State(_) | StateClass::UdpUnconnected) => class.name(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn end(text: &str) -> Endpoint {
        let address: std::net::SocketAddr = text.parse().unwrap();
        Endpoint::new(address.ip(), address.port())
    }

    fn socket() -> Socket {
        Socket {
            protocol: Protocol::Tcp,
            family: Family::Ipv4,
            state: TcpState::TIME_WAIT,
            local: end("127.0.0.1:53772"),
            remote: end("127.0.0.1:9000"),
            v4_mapped: false,
            recv_queue: 0,
            send_queue: Some(0),
            timer: Some(Timer { kind: TimerKind::TIME_WAIT, expires_ms: 59_896, retransmits: 0 }),
            uid: None,
            inode: None,
            interface: None,
            cookie: Some(7),
            opened_here: None,
            v6_only: None,
        }
    }

    fn written(format: Format, sockets: &[Socket]) -> String {
        let mut out = Vec::new();
        let names = HashMap::from([(2, "eth\"0".to_owned())]);
        let mut writer = RowWriter::new(&mut out, format, names);
        writer.begin().unwrap();
        for socket in sockets {
            writer.row(socket).unwrap();
        }
        writer.end().unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn text_has_the_same_columns_for_every_row() {
        let listener = Socket {
            state: TcpState::LISTEN,
            remote: end("0.0.0.0:0"),
            send_queue: Some(128),
            timer: None,
            uid: Some(1000),
            inode: Some(4711),
            interface: Some(2),
            ..socket()
        };
        let long = Socket {
            family: Family::Ipv6,
            local: end("[2001:db8:1111:2222:3333:4444:5555:6666]:65535"),
            timer: Some(Timer { kind: TimerKind::RETRANSMIT, expires_ms: 0, retransmits: 3 }),
            ..socket()
        };
        let text = written(Format::Table, &[socket(), listener, long]);
        insta::assert_snapshot!(text, @r#"
        PROTO STATE       LOCAL                 REMOTE                RECV-Q SEND-Q TIMER           UID INODE
        tcp   TIME_WAIT   127.0.0.1:53772       127.0.0.1:9000        0      0      time_wait:59.8s - -
        tcp   LISTEN      127.0.0.1%eth"0:53772 0.0.0.0:*             0      128    -               1000 4711
        tcp   TIME_WAIT   [2001:db8:1111:2222:3333:4444:5555:6666]:65535 127.0.0.1:9000 0      0 retransmit:due/3 - -
        "#);
        assert!(text.lines().all(|line| line.split_whitespace().count() == 9));
    }

    #[test]
    fn csv_is_quoted_where_it_must_be() {
        let text = written(Format::Csv, &[Socket { interface: Some(2), ..socket() }]);
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let row = reader.records().next().unwrap().unwrap();
        assert_eq!(row.iter().nth(15), Some("eth\"0"));
        assert_eq!(row.iter().nth(11), Some("59896"));
    }

    proptest! {
        #[test]
        fn json_rows_say_what_the_socket_is(
            code in 0_u8..=255,
            address in any::<u128>(),
            port in any::<u16>(),
            queue in any::<u32>(),
            timer in prop::option::of((1_u8.., any::<u32>(), any::<u8>())),
            inode in prop::option::of(any::<u32>()),
        ) {
            let address = std::net::IpAddr::from(std::net::Ipv6Addr::from(address));
            let socket = Socket {
                family: Family::Ipv6,
                state: TcpState::from_kernel(code),
                local: Endpoint::new(address, port),
                recv_queue: queue,
                timer: timer.map(|(kind, expires_ms, retransmits)| Timer {
                    kind: TimerKind::from_kernel(kind).unwrap(), expires_ms, retransmits,
                }),
                uid: inode,
                inode,
                interface: Some(2),
                ..socket()
            };
            let row: serde_json::Value =
                serde_json::from_str(&written(Format::Ndjson, &[socket])).unwrap();
            let expected = json!({
                "protocol": "tcp",
                "family": "ipv6",
                "state": state_name(&socket),
                "local": socket.local,
                "remote": socket.remote,
                "v4_mapped": false,
                "recv_queue": queue,
                "send_queue": 0,
                "timer": socket.timer.map(|timer| json!({
                    "kind": timer.kind.name(),
                    "expires_ms": timer.expires_ms,
                    "retransmits": timer.retransmits,
                })),
                "uid": inode,
                "inode": inode,
                "interface": "eth\"0",
                "cookie": 7,
            });
            prop_assert_eq!(row, expected);
        }
    }
}
