//! Sockets one a line, as they come: 400,000 rows are written through one buffer and never held.
//!
//! This is the inner loop of `states --list`, so the text and JSON forms are put together by hand;
//! a test holds the JSON one against a real parser.

use std::collections::HashMap;
use std::io::{self, Write};

use super::{Format, sanitize};
use crate::model::{Endpoint, Socket, StateClass, TcpState, Timer};

/// Bytes after which the buffer is handed on. Pipes take 64 KiB at once.
const FULL: usize = 64 * 1024;
/// What one row takes at most, with room to spare.
const ROW: usize = 1024;

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
    is_first: bool,
}

impl<'a> RowWriter<'a> {
    /// A writer to `out`; `interfaces` has the names of interfaces by their index.
    pub fn new(out: &'a mut dyn Write, format: Format, interfaces: HashMap<u32, String>) -> Self {
        let buffer = Vec::with_capacity(FULL + ROW);
        Self {
            out,
            format,
            buffer,
            interfaces,
            is_first: true,
        }
    }

    /// Writes what stands above the rows: the heading; in JSON the object's beginning.
    pub fn begin(&mut self) -> io::Result<()> {
        match self.format {
            Format::Table => self.buffer.extend(TEXT_HEADER.bytes()),
            Format::Csv => self.csv_record(CSV_HEADER)?,
            Format::Json => self.buffer.extend(b"{\"sockets\":["),
            Format::Ndjson => {}
        }
        Ok(())
    }

    /// Writes one row.
    pub fn row(&mut self, socket: &Socket) -> io::Result<()> {
        match self.format {
            Format::Table => self.text(socket),
            Format::Csv => self.csv(socket)?,
            Format::Json => {
                self.buffer.extend(if self.is_first {
                    &b"\n"[..]
                } else {
                    &b",\n"[..]
                });
                self.json(socket);
            }
            Format::Ndjson => {
                self.json(socket);
                self.buffer.push(b'\n');
            }
        }
        self.is_first = false;
        if self.buffer.len() < FULL {
            Ok(())
        } else {
            self.flush()
        }
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
        let start = self.buffer.len();
        self.word(socket.protocol.name(), start, 6);
        self.state(socket);
        self.pad(start + 18);
        self.endpoint(socket, &socket.local);
        self.pad(start + 40);
        socket.remote.append_to(&mut self.buffer);
        self.pad(start + 62);
        self.integer(u64::from(socket.recv_queue));
        self.pad(start + 69);
        self.optional(socket.send_queue.map(u64::from), "-");
        self.pad(start + 76);
        self.timer(socket.timer);
        self.pad(start + 92);
        self.optional(socket.uid.map(u64::from), "-");
        self.buffer.push(b' ');
        self.optional(socket.inode.map(u64::from), "-");
        self.buffer.push(b'\n');
    }

    /// The state's name; that FIN_WAIT2 is a mini-socket is seen by its timer.
    fn state(&mut self, socket: &Socket) {
        self.buffer.extend(state_name(socket).as_bytes());
    }

    /// The local end, with the interface that the socket is bound to: `10.0.0.1%eth0:80`.
    fn endpoint(&mut self, socket: &Socket, end: &Endpoint) {
        let Some(index) = socket.interface else {
            return end.append_to(&mut self.buffer);
        };
        let name = sanitize(&self.interface(index));
        let text = end.to_string();
        let (address, port) = text.rsplit_once(':').unwrap_or((&text, ""));
        self.buffer
            .extend(format!("{address}%{name}:{port}").as_bytes());
    }

    fn interface(&self, index: u32) -> String {
        self.interfaces
            .get(&index)
            .cloned()
            .unwrap_or_else(|| index.to_string())
    }

    /// `time_wait:59.9s`; `due` for what the kernel will end any moment; `/3` for retransmissions.
    fn timer(&mut self, timer: Option<Timer>) {
        let Some(timer) = timer else {
            return self.buffer.push(b'-');
        };
        self.buffer.extend(timer.kind.name().as_bytes());
        if timer.expires_ms == 0 {
            self.buffer.extend(b":due");
        } else {
            self.buffer.push(b':');
            self.integer(u64::from(timer.expires_ms / 1000));
            self.buffer.push(b'.');
            self.integer(u64::from(timer.expires_ms % 1000 / 100));
            self.buffer.push(b's');
        }
        if timer.retransmits > 0 {
            self.buffer.push(b'/');
            self.integer(u64::from(timer.retransmits));
        }
    }

    fn json(&mut self, socket: &Socket) {
        self.buffer.extend(b"{\"protocol\":\"");
        self.buffer.extend(socket.protocol.name().as_bytes());
        self.buffer.extend(b"\",\"family\":\"");
        self.buffer.extend(socket.family.name().as_bytes());
        self.buffer.extend(b"\",\"state\":\"");
        self.state(socket);
        self.buffer.extend(b"\",\"local\":");
        self.json_endpoint(&socket.local);
        self.buffer.extend(b",\"remote\":");
        self.json_endpoint(&socket.remote);
        self.buffer.extend(b",\"v4_mapped\":");
        self.buffer.extend(if socket.v4_mapped {
            &b"true"[..]
        } else {
            &b"false"[..]
        });
        self.buffer.extend(b",\"recv_queue\":");
        self.integer(u64::from(socket.recv_queue));
        self.buffer.extend(b",\"send_queue\":");
        self.optional(socket.send_queue.map(u64::from), "null");
        self.json_timer(socket.timer);
        self.buffer.extend(b",\"uid\":");
        self.optional(socket.uid.map(u64::from), "null");
        self.buffer.extend(b",\"inode\":");
        self.optional(socket.inode.map(u64::from), "null");
        self.buffer.extend(b",\"interface\":");
        match socket.interface {
            None => self.buffer.extend(b"null"),
            Some(index) => {
                let name = serde_json::Value::from(self.interface(index)).to_string();
                self.buffer.extend(name.as_bytes());
            }
        }
        self.buffer.extend(b",\"cookie\":");
        self.optional(socket.cookie, "null");
        self.buffer.push(b'}');
    }

    fn json_endpoint(&mut self, end: &Endpoint) {
        self.buffer.extend(b"{\"address\":\"");
        end.append_address_to(&mut self.buffer);
        self.buffer.extend(b"\",\"port\":");
        self.integer(u64::from(end.port));
        self.buffer.push(b'}');
    }

    fn json_timer(&mut self, timer: Option<Timer>) {
        let Some(timer) = timer else {
            return self.buffer.extend(b",\"timer\":null");
        };
        self.buffer.extend(b",\"timer\":{\"kind\":\"");
        self.buffer.extend(timer.kind.name().as_bytes());
        self.buffer.extend(b"\",\"expires_ms\":");
        self.integer(u64::from(timer.expires_ms));
        self.buffer.extend(b",\"retransmits\":");
        self.integer(u64::from(timer.retransmits));
        self.buffer.push(b'}');
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
            timer
                .map(|timer| timer.kind.name().to_owned())
                .unwrap_or_default(),
            text(timer.map(|timer| timer.expires_ms.into())),
            text(timer.map(|timer| timer.retransmits.into())),
            text(socket.uid.map(u64::from)),
            text(socket.inode.map(u64::from)),
            socket
                .interface
                .map(|index| self.interface(index))
                .unwrap_or_default(),
            text(socket.cookie),
        ])
    }

    fn csv_record<T: AsRef<[u8]>>(&mut self, fields: [T; 17]) -> io::Result<()> {
        let mut writer = csv::Writer::from_writer(&mut self.buffer);
        writer.write_record(fields)?;
        writer.flush()
    }

    fn word(&mut self, word: &str, start: usize, width: usize) {
        self.buffer.extend(word.as_bytes());
        self.pad(start + width);
    }

    /// Spaces up to column `end`, and one at the least.
    fn pad(&mut self, end: usize) {
        let end = end.max(self.buffer.len() + 1);
        self.buffer.resize(end, b' ');
    }

    fn integer(&mut self, number: u64) {
        self.buffer
            .extend(itoa::Buffer::new().format(number).as_bytes());
    }

    fn optional(&mut self, number: Option<u64>, absent: &str) {
        match number {
            Some(number) => self.integer(number),
            None => self.buffer.extend(absent.as_bytes()),
        }
    }
}

/// The kernel's name of the state: `UNCONN` for UDP, and no word of its own for a mini-socket.
fn state_name(socket: &Socket) -> std::borrow::Cow<'static, str> {
    match socket.class() {
        StateClass::FinWait2Mini => TcpState::FinWait2.name(),
        class => class.name(),
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::model::{Family, Protocol, TimerKind};

    fn socket() -> Socket {
        Socket {
            protocol: Protocol::Tcp,
            family: Family::Ipv4,
            state: TcpState::TimeWait,
            local: Endpoint::new([127, 0, 0, 1].into(), 53772),
            remote: Endpoint::new([127, 0, 0, 1].into(), 9000),
            v4_mapped: false,
            recv_queue: 0,
            send_queue: Some(0),
            timer: Some(Timer {
                kind: TimerKind::TimeWait,
                expires_ms: 59_896,
                retransmits: 0,
            }),
            uid: None,
            inode: None,
            interface: None,
            cookie: Some(7),
            v6_only: None,
        }
    }

    fn written(format: Format, sockets: &[Socket]) -> String {
        let mut out = Vec::new();
        let names = HashMap::from([(2, "eth\"0".to_owned())]);
        let mut writer = RowWriter::new(&mut out, format, names);
        writer.begin().unwrap();
        sockets
            .iter()
            .for_each(|socket| writer.row(socket).unwrap());
        writer.end().unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn text_has_the_same_columns_for_every_row() {
        let listener = Socket {
            state: TcpState::Listen,
            remote: Endpoint::new([0, 0, 0, 0].into(), 0),
            send_queue: Some(128),
            timer: None,
            uid: Some(1000),
            inode: Some(4711),
            interface: Some(2),
            ..socket()
        };
        let long = Socket {
            family: Family::Ipv6,
            local: Endpoint::new(
                "2001:db8:1111:2222:3333:4444:5555:6666".parse().unwrap(),
                65535,
            ),
            timer: Some(Timer {
                kind: TimerKind::Retransmit,
                expires_ms: 0,
                retransmits: 3,
            }),
            ..socket()
        };
        let text = written(Format::Table, &[socket(), listener, long]);
        insta::assert_snapshot!(text, @r#"
        PROTO STATE       LOCAL                 REMOTE                RECV-Q SEND-Q TIMER           UID INODE
        tcp   TIME_WAIT   127.0.0.1:53772       127.0.0.1:9000        0      0      time_wait:59.8s - -
        tcp   LISTEN      127.0.0.1%eth"0:53772 0.0.0.0:*             0      128    -               1000 4711
        tcp   TIME_WAIT   [2001:db8:1111:2222:3333:4444:5555:6666]:65535 127.0.0.1:9000 0 0 retransmit:due/3 - -
        "#);
        assert!(
            text.lines()
                .all(|line| line.split_whitespace().count() == 9)
        );
    }

    #[test]
    fn csv_is_quoted_where_it_must_be() {
        let text = written(
            Format::Csv,
            &[Socket {
                interface: Some(2),
                ..socket()
            }],
        );
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
            let address = IpAddr::from(std::net::Ipv6Addr::from(address));
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
