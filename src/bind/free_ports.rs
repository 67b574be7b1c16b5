//! `netkit bind --find-free`: ports that can be bound now.

use std::io::{self, Write};

use serde::Serialize;

use super::args::Args;
use super::target::{InternetTarget, Target};
use crate::catalogue::{bind_errnos, errnos};
use crate::exit::Exit;
use crate::kernel::binding::{TcpOptions, try_tcp, try_udp};
use crate::kernel::clock::now;
use crate::kernel::tcp_settings::TcpSettings;
use crate::kernel::{KernelError, ProcRoot, interfaces};
use crate::model::{PortRange, Protocol};
use crate::output::numbers::count;
use crate::output::{Report, Style};

/// The ports found; the JSON of docs/schema/free_ports.json.
#[derive(Debug, Serialize)]
pub struct FreePorts {
    schema: &'static str,
    captured_at: String,
    address: String,
    protocol: &'static str,
    low: u16,
    high: u16,
    wanted: usize,
    ports: Vec<u16>,
    /// An error number other than EADDRINUSE that a port was refused with.
    #[serde(skip)]
    refusal: Option<i32>,
    /// What has to be known about the answer.
    pub warnings: Vec<String>,
}

impl FreePorts {
    /// Tries the ports of `range` from the lowest on, until as many as are wanted can be bound.
    pub fn find(args: &Args, range: PortRange, proc_root: &ProcRoot) -> Result<Self, KernelError> {
        let everywhere = InternetTarget::default();
        let target = match args.target() {
            Some(Target::Internet(target)) => target,
            _ => &everywhere,
        };
        let options = TcpOptions { v6only: args.options().v6only, ..TcpOptions::default() };
        let mut ports = Vec::new();
        let mut refusal = None;
        for port in range.low..=range.high {
            if ports.len() == args.count() {
                break;
            }
            let Some(address) = target.socket_address(port, interfaces::index) else {
                return Err(KernelError::NoInterface(
                    target.scope().unwrap_or_default().to_owned(),
                ));
            };
            let trial = match args.protocol() {
                Protocol::Tcp => try_tcp(address, options)?,
                Protocol::Udp => try_udp(address, options.v6only)?,
            };
            if port != 0 && trial.is_accepted() {
                ports.push(port);
            }
            if !trial.is_accepted() && trial.code != errnos::EADDRINUSE {
                refusal = Some(trial.code);
            }
        }
        let ephemeral = TcpSettings::read(proc_root).ephemeral_ports().unwrap_or_default();
        let picked = ports.iter().filter(|port| ephemeral.contains(**port)).count();
        Ok(Self {
            schema: "netkit.free_ports/1",
            captured_at: now().to_string(),
            address: target.to_string(),
            protocol: args.protocol().name(),
            low: range.low,
            high: range.high,
            wanted: args.count(),
            warnings: warning(picked).into_iter().collect(),
            ports,
            refusal,
        })
    }

    /// How a run with this answer ends.
    pub fn exit(&self) -> Exit {
        if self.ports.len() < self.wanted { Exit::Found } else { Exit::Fine }
    }

    /// What is to be said of too few.
    pub fn complaint(&self) -> Option<String> {
        let free = count(u64::try_from(self.ports.len()).unwrap_or(u64::MAX), "free port");
        let hint = match self.refusal {
            None => "give a larger range".to_owned(),
            Some(code) => {
                let name = errnos::name(code);
                format!("bind() fails with {name} ({code}): {}", bind_errnos::internet(&name))
            }
        };
        (self.exit() == Exit::Found).then(|| {
            format!(
                "{free} from {} to {} at {}, and {} wanted\nhint: {hint}",
                self.low, self.high, self.address, self.wanted
            )
        })
    }
}

fn warning(picked: usize) -> Option<String> {
    (picked > 0).then(|| {
        "connect() may pick such a port before you bind it: it is in \
         net.ipv4.ip_local_port_range; take a range outside"
            .to_owned()
    })
}

impl Report for FreePorts {
    fn write_text(&self, out: &mut dyn Write, _: Style) -> io::Result<()> {
        self.ports.iter().try_for_each(|port| writeln!(out, "{port}"))
    }

    fn write_csv(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "port")?;
        self.ports.iter().try_for_each(|port| writeln!(out, "{port}"))
    }

    fn write_ndjson(&self, out: &mut dyn Write) -> io::Result<()> {
        self.ports.iter().try_for_each(|port| writeln!(out, "{{\"port\":{port}}}"))
    }
}
