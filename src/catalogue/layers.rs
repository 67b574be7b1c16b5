//! The layers of a network: the seven of OSI, the four of TCP/IP, and the steps in which a
//! connection meets them.
//!
//! Sources: ISO/IEC 7498-1 (ITU-T X.200) for the seven, RFC 1122 section 1.1.3 for the four. The two
//! are different models: which of the four one of the seven belongs to is custom, not standard.

/// A layer of the OSI model.
#[derive(Clone, Copy, Debug)]
pub struct Layer {
    /// 1 to 7, from the wire up.
    pub number: u8,
    /// Its name.
    pub name: &'static str,
    /// The layer of TCP/IP that does its work.
    pub tcp_ip: &'static str,
    /// What a piece of data is called there.
    pub unit: &'static str,
    /// What it does, in half a sentence.
    pub meaning: &'static str,
    /// What is spoken there.
    pub protocols: &'static [Protocol],
    /// How a program sees that it fails.
    pub failure: &'static str,
    /// The commands of netkit that look at it, and at what.
    pub looks: &'static [(&'static str, &'static str)],
}

/// A protocol: its name, and what it is for.
pub type Protocol = (&'static str, &'static str);

/// A layer of TCP/IP.
#[derive(Clone, Copy, Debug)]
pub struct TcpIpLayer {
    /// Its name.
    pub name: &'static str,
    /// What it does, in half a sentence.
    pub meaning: &'static str,
    /// Where its code runs on Linux.
    pub place: &'static str,
}

/// A step on the way to a service, in the order in which a connection takes them.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// Its name.
    pub name: &'static str,
    /// The number of its OSI layer; of several, the lowest.
    pub layer: u8,
    /// The highest.
    pub top: u8,
    /// What has to be answered before the next step can be taken.
    pub question: &'static str,
    /// What is spoken to find that out; empty where the kernel looks at its own tables.
    pub protocols: &'static [&'static str],
    /// The command of Linux that shows the same.
    pub by_hand: &'static str,
}

/// The seven, from the application down to the wire.
pub const LAYERS: [Layer; 7] = [
    Layer {
        number: 7,
        name: "application",
        tcp_ip: "application",
        unit: "message",
        meaning: "what the two programs say to each other",
        protocols: &[
            ("HTTP", "pages and APIs"),
            ("DNS", "names to addresses"),
            ("SSH", "shells"),
            ("SMTP", "mail"),
            ("DHCP", "an address for this host"),
            ("NTP", "the time"),
        ],
        failure: "the connection opens, and the answer is wrong, late or missing; a name that does \
                  not resolve fails here too, before a packet goes to the service",
        looks: &[
            ("netkit connect --banner HOST:PORT", "what the service says first"),
            ("netkit connect --layers HOST:PORT", "whether the name resolves"),
        ],
    },
    Layer {
        number: 6,
        name: "presentation",
        tcp_ip: "application",
        unit: "message",
        meaning: "how the message is written: encoding, encryption, compression",
        protocols: &[
            ("TLS", "encryption"),
            ("JSON", "structured text"),
            ("UTF-8", "characters"),
            ("gzip", "compression"),
        ],
        failure: "TLS handshake errors, unreadable text; TCP itself is fine",
        looks: &[],
    },
    Layer {
        number: 5,
        name: "session",
        tcp_ip: "application",
        unit: "message",
        meaning: "who talks to whom for how long: logins, resumption, remote calls",
        protocols: &[
            ("RPC", "calls of procedures elsewhere"),
            ("SOCKS", "connections by way of a proxy"),
            ("NetBIOS", "sessions of Windows shares"),
        ],
        failure: "logged out, or a connection that something on the way forgot",
        looks: &[("netkit explain tcp_keepalive_time", "what keeps an idle connection known")],
    },
    Layer {
        number: 4,
        name: "transport",
        tcp_ip: "transport",
        unit: "segment of TCP, datagram of UDP",
        meaning: "from program to program: ports; with TCP also order, repetition and pace",
        protocols: &[
            ("TCP", "a reliable stream of bytes"),
            ("UDP", "single datagrams, without promise"),
            ("QUIC", "streams and TLS in one, carried by UDP"),
            ("SCTP", "messages over several paths"),
        ],
        failure: "ECONNREFUSED: nothing listens on the port. ETIMEDOUT: no answer. ECONNRESET: the \
                  peer ended it. EADDRINUSE and EADDRNOTAVAIL: no port here",
        looks: &[
            ("netkit states", "connections by TCP state"),
            ("netkit bind PORT", "who has the port"),
            ("netkit connect HOST:PORT", "whether something answers"),
            ("netkit sysctl", "the settings of TCP"),
        ],
    },
    Layer {
        number: 3,
        name: "network",
        tcp_ip: "internet",
        unit: "packet",
        meaning: "from host to host across networks: addresses and routes",
        protocols: &[
            ("IPv4", "addresses of 32 bits"),
            ("IPv6", "addresses of 128 bits"),
            ("ICMP", "what routers and hosts report about IPv4"),
            ("ICMPv6", "the same for IPv6, and its neighbours"),
            ("IPsec", "encrypted packets"),
        ],
        failure: "ENETUNREACH: no route. EHOSTUNREACH: a router, a firewall or the last hop says \
                  no. EACCES: a route or an ICMPv6 message that prohibits",
        looks: &[
            ("netkit connect HOST:PORT", "which ICMP message ended it, and who sent it"),
            ("netkit connect --layers HOST:PORT", "the source address and the route"),
        ],
    },
    Layer {
        number: 2,
        name: "data link",
        tcp_ip: "link",
        unit: "frame",
        meaning: "from one interface to the next on the same wire: MAC addresses",
        protocols: &[
            ("Ethernet", "frames on cable and between virtual machines"),
            ("Wi-Fi", "frames by radio (IEEE 802.11)"),
            ("ARP", "the MAC address of an IPv4 neighbour"),
            ("NDP", "the same for IPv6, spoken as ICMPv6"),
            ("VLAN", "several networks on one cable (IEEE 802.1Q)"),
            ("PPP", "frames on a line between two"),
        ],
        failure: "the neighbour does not answer ARP or NDP: EHOSTUNREACH after about 3 s",
        looks: &[(
            "netkit connect --layers HOST:PORT",
            "whether the interface is up and the neighbour known",
        )],
    },
    Layer {
        number: 1,
        name: "physical",
        tcp_ip: "link",
        unit: "bit",
        meaning: "cable, fibre, radio, or what a hypervisor pretends",
        protocols: &[
            ("1000BASE-T", "Ethernet on copper"),
            ("10GBASE-SR", "Ethernet on fibre"),
            ("DSL", "telephone lines"),
        ],
        failure: "the interface has no carrier: ENETUNREACH, or silence",
        looks: &[("netkit connect --layers HOST:PORT", "whether the interface has a carrier")],
    },
];

/// The four of TCP/IP, from the application down.
pub const TCP_IP: [TcpIpLayer; 4] = [
    TcpIpLayer {
        name: "application",
        meaning: "everything above the socket",
        place: "the programs and their libraries",
    },
    TcpIpLayer {
        name: "transport",
        meaning: "ports, and with TCP a stream",
        place: "the kernel, below the socket: net/ipv4/tcp.c, udp.c",
    },
    TcpIpLayer {
        name: "internet",
        meaning: "addresses and routes",
        place: "the kernel: net/ipv4, net/ipv6; netfilter watches here",
    },
    TcpIpLayer {
        name: "link",
        meaning: "the next hop on the same wire",
        place: "the kernel's drivers, and the card",
    },
];

/// The way to a service, from its name to its first answer.
pub const STEPS: [Step; 7] = [
    Step {
        name: "name",
        layer: 7,
        top: 7,
        question: "does the name give an address",
        protocols: &["DNS"],
        by_hand: "getent ahosts HOST",
    },
    Step {
        name: "address",
        layer: 3,
        top: 3,
        question: "has this host an address of that family to speak from",
        protocols: &["IPv4", "IPv6"],
        by_hand: "ip address",
    },
    Step {
        name: "link",
        layer: 1,
        top: 2,
        question: "is the interface up, and has it a carrier",
        protocols: &["Ethernet"],
        by_hand: "ip -s link",
    },
    Step {
        name: "route",
        layer: 3,
        top: 3,
        question: "is there a way there from here",
        protocols: &["IPv4", "IPv6"],
        by_hand: "ip route get ADDRESS",
    },
    Step {
        name: "neighbour",
        layer: 2,
        top: 2,
        question: "does the next hop answer on the wire",
        protocols: &["ARP", "NDP"],
        by_hand: "ip neighbour",
    },
    Step {
        name: "transport",
        layer: 4,
        top: 4,
        question: "does the port answer, and who says so if it does not",
        protocols: &["TCP", "UDP", "ICMP", "ICMPv6"],
        by_hand: "ss -ltn",
    },
    Step {
        name: "application",
        layer: 7,
        top: 7,
        question: "does the service speak",
        protocols: &["HTTP", "TLS", "SSH", "SMTP"],
        by_hand: "nc HOST PORT",
    },
];

/// The OSI layer of this number.
pub fn layer(number: u8) -> Option<&'static Layer> {
    LAYERS.iter().find(|layer| layer.number == number)
}

/// The step of this name.
pub fn step(name: &str) -> Option<&'static Step> {
    STEPS.iter().find(|step| step.name == name)
}

impl Step {
    /// Whether it is of this layer.
    pub fn is_at(&self, number: u8) -> bool {
        (self.layer..=self.top).contains(&number)
    }

    /// Its layers, as in `4` or `1-2`.
    pub fn span(&self) -> String {
        match (self.layer, self.top) {
            (lowest, top) if lowest == top => lowest.to_string(),
            (lowest, top) => format!("{lowest}-{top}"),
        }
    }

    /// Its OSI layer.
    pub fn osi(&self) -> Option<&'static Layer> {
        layer(self.layer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seven_layers_go_down_and_each_belongs_to_one_of_the_four() {
        let numbers: Vec<_> = LAYERS.iter().map(|layer| layer.number).collect();
        assert_eq!(numbers, [7, 6, 5, 4, 3, 2, 1]);
        let mut four: Vec<_> = LAYERS.iter().map(|layer| layer.tcp_ip).collect();
        four.dedup();
        assert_eq!(four, TCP_IP.map(|layer| layer.name));
    }

    #[test]
    fn a_step_speaks_what_is_spoken_at_a_layer() {
        let known = |name: &str| {
            LAYERS.iter().any(|layer| layer.protocols.iter().any(|(it, _)| *it == name))
        };
        for it in STEPS {
            assert!(it.osi().is_some() && step(it.name).is_some(), "{}", it.name);
            assert!(it.protocols.iter().all(|name| known(name)), "{}: {:?}", it.name, it.protocols);
            let is_there = |layer: &&Layer| it.is_at(layer.number);
            assert!(
                it.layer <= it.top && LAYERS.iter().any(|layer| is_there(&layer)),
                "{}",
                it.name
            );
        }
    }
}
