//! A /proc tree as another machine would leave it, for `--procfs`: rows, counters and sysctls of
//! one's choice, so that an answer can be compared whole.

use std::fmt::Write as _;
use std::fs;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

const HEADING: &str = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   \
                       uid  timeout inode\n";

/// The kernel's numbers of the states.
const STATES: [(&str, u8); 12] = [
    ("ESTABLISHED", 1),
    ("SYN_SENT", 2),
    ("SYN_RECV", 3),
    ("FIN_WAIT1", 4),
    ("FIN_WAIT2", 5),
    ("TIME_WAIT", 6),
    ("CLOSE", 7),
    ("CLOSE_WAIT", 8),
    ("LAST_ACK", 9),
    ("LISTEN", 10),
    ("CLOSING", 11),
    ("STATE_77", 77),
];

/// A tree in a temporary directory.
pub struct Capture {
    directory: TempDir,
    tables: [(&'static str, String); 3],
    allocated: usize,
    minis: usize,
}

impl Capture {
    /// A tree without sockets, with the kernel's default sysctls.
    pub fn new() -> Self {
        let empty = |name| (name, HEADING.to_owned());
        let capture = Self {
            directory: tempfile::tempdir().unwrap(),
            tables: [empty("tcp"), empty("tcp6"), empty("udp")],
            allocated: 0,
            minis: 0,
        };
        capture
            .sysctl("ip_local_port_range", "32768\t60999")
            .sysctl("ip_local_reserved_ports", "")
            .sysctl("tcp_tw_reuse", "2")
            .sysctl("tcp_tw_reuse_delay", "1000")
            .sysctl("tcp_timestamps", "1")
            .sysctl("tcp_max_tw_buckets", "131072")
            .overflows(0)
    }

    /// Sets `net.ipv4.KEY`.
    pub fn sysctl(self, key: &str, value: &str) -> Self {
        self.file(&format!("sys/net/ipv4/{key}"), &format!("{value}\n"))
    }

    /// Sets the counter of sockets that skipped TIME_WAIT.
    pub fn overflows(self, count: u64) -> Self {
        let text =
            format!("TcpExt: TW TWRecycled TWKilled TCPTimeWaitOverflow\nTcpExt: 9 8 7 {count}\n");
        self.file("net/netstat", &text)
            .file("net/snmp", "Tcp: ActiveOpens PassiveOpens CurrEstab\nTcp: 3 2 1\n")
    }

    /// Writes a file of the tree.
    pub fn file(self, path: &str, text: &str) -> Self {
        let path = self.directory.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        self
    }

    /// A socket that a program of user 1000 has.
    pub fn socket(self, state: &str, local: &str, remote: &str) -> Self {
        let inode = 4000 + self.allocated;
        self.row((state, local, remote), (0, 0), inode)
    }

    /// A TIME_WAIT with this much left.
    pub fn time_wait(self, local: &str, remote: &str, left_ms: u32) -> Self {
        self.row(("TIME_WAIT", local, remote), (3, left_ms), 0)
    }

    /// A FIN_WAIT2 that no program has.
    pub fn fin_wait2_mini(self, local: &str, remote: &str) -> Self {
        self.row(("FIN_WAIT2", local, remote), (3, 30_000), 0)
    }

    /// A listener.
    pub fn listen(self, local: &str) -> Self {
        let remote = if local.starts_with('[') { "[::]:0" } else { "0.0.0.0:0" };
        self.socket("LISTEN", local, remote)
    }

    /// `number` TIME_WAITs from consecutive ports of `source`, each older than the one before, none
    /// younger than ten seconds.
    pub fn time_waits(mut self, source: &str, ports: std::ops::Range<u16>, remote: &str) -> Self {
        let number = u32::try_from(ports.len()).unwrap().max(1);
        for (index, port) in (0..).zip(ports) {
            let left = 50_000 - 49_000 * index / number;
            self = self.time_wait(&format!("{source}:{port}"), remote, left);
        }
        self
    }

    /// A line of its own in `/proc/net/tcp`.
    pub fn line(mut self, line: &str) -> Self {
        self.tables[0].1 += line;
        self.tables[0].1.push('\n');
        self
    }

    fn row(
        mut self,
        (state, local, remote): (&str, &str, &str),
        (timer, left_ms): (u8, u32),
        inode: usize,
    ) -> Self {
        let (_, code) = STATES.iter().find(|(name, _)| *name == state).unwrap();
        let [local, remote] = [local, remote].map(|end| end.parse::<SocketAddr>().unwrap());
        let uid = if inode == 0 { 0 } else { 1000 };
        let (_, table) = &mut self.tables[usize::from(local.is_ipv6())];
        writeln!(
            table,
            "   0: {} {} {code:02X} 00000000:00000000 {timer:02X}:{:08X} 00000000 {uid:>5}        0 \
             {inode} 1 0000000000000000 20 4 30 10 -1",
            hex(local),
            hex(remote),
            left_ms / 10
        )
        .unwrap();
        self.allocated += usize::from(inode != 0);
        self.minis += usize::from(timer == 3);
        self
    }

    /// Writes the tables, and gives the directory.
    pub fn root(&self) -> &Path {
        for (name, text) in &self.tables {
            self.put(&format!("net/{name}"), text);
        }
        let in_use = self.allocated;
        let minis = self.minis;
        self.put(
            "net/sockstat",
            &format!(
                "sockets: used 200\nTCP: inuse {in_use} orphan 0 tw {minis} alloc {in_use} mem 9\n"
            ),
        );
        self.put("net/sockstat6", "TCP6: inuse 0\n");
        self.directory.path()
    }

    /// Writes the tables, takes these files and directories out, and gives the directory.
    pub fn without(&self, paths: &[&str]) -> PathBuf {
        let root = self.root().to_owned();
        for path in paths {
            let path = root.join(path);
            if path.is_dir() {
                fs::remove_dir_all(path).unwrap();
            } else {
                fs::remove_file(path).unwrap();
            }
        }
        root
    }

    fn put(&self, path: &str, text: &str) {
        fs::create_dir_all(self.directory.path().join("net")).unwrap();
        fs::write(self.directory.path().join(path), text).unwrap();
    }
}

/// `0100007F:1F90`: each 32-bit word of the address in host order.
pub fn hex(end: SocketAddr) -> String {
    let octets = match end.ip() {
        IpAddr::V4(v4) => v4.octets().to_vec(),
        IpAddr::V6(v6) => v6.octets().to_vec(),
    };
    let words = octets.chunks_exact(4).map(|word| {
        let word: [u8; 4] = word.try_into().unwrap();
        format!("{:08X}", u32::from_ne_bytes(word))
    });
    format!("{}:{:04X}", words.collect::<String>(), end.port())
}
