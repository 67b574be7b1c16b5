//! Datagrams with what a responsible server has to know of them: where they come from, which address
//! they were sent to, and how far they may still go (recvmsg(2), ip(7), ipv6(7)).

use std::io::{self, IoSlice};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{self, UnixDatagram};
use std::sync::atomic::{AtomicU32, Ordering};

use nix::libc::{in_pktinfo, in6_pktinfo};
use nix::sys::socket::{ControlMessage, MsgFlags, SockaddrStorage, sendmsg, setsockopt, sockopt};
use rustix::net::{SendFlags, sendto};
use socket2::Socket;

/// A UDP socket that says of each datagram where it was sent to.
#[derive(Debug)]
pub struct UdpEnd {
    socket: Socket,
    local: SocketAddr,
    default_hops: u32,
    /// How many hops a reply may go, as it is set now.
    hops: AtomicU32,
}

/// What is known of a datagram besides its bytes.
#[derive(Clone, Copy, Debug)]
pub struct Arrival {
    /// How many bytes it had that fit.
    pub length: usize,
    /// Whether it was longer.
    pub is_cut: bool,
    /// Who sent it.
    pub source: SocketAddr,
    /// The hops that it had left; `None` if the kernel did not say.
    pub hops: Option<u32>,
    /// Where it was sent to; `None` if the socket is bound to one address, which it is then.
    pub asked: Option<Asked>,
}

/// The address that a datagram was sent to, in the kernel's form, for the reply to leave from.
#[derive(Clone, Copy, Debug)]
pub enum Asked {
    /// `IP_PKTINFO`.
    V4(in_pktinfo),
    /// `IPV6_PKTINFO`.
    V6(in6_pktinfo),
}

impl Asked {
    /// The address in the header of the datagram.
    pub fn destination(&self) -> IpAddr {
        match self {
            Self::V4(info) => Ipv4Addr::from(u32::from_be(info.ipi_addr.s_addr)).into(),
            Self::V6(info) => Ipv6Addr::from(info.ipi6_addr.s6_addr).to_canonical(),
        }
    }

    /// Whether it is one address of this machine, and not one of many: for IPv4, the kernel says which
    /// own address belongs to the destination.
    pub fn is_own(&self) -> bool {
        match self {
            Self::V4(info) => info.ipi_addr.s_addr == info.ipi_spec_dst.s_addr,
            Self::V6(_) => !self.destination().is_multicast(),
        }
    }
}

impl AsRawFd for UdpEnd {
    fn as_raw_fd(&self) -> RawFd {
        self.socket.as_raw_fd()
    }
}

impl AsFd for UdpEnd {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl UdpEnd {
    /// Takes a bound socket, and asks the kernel for what has to be known of each datagram.
    pub fn new(socket: Socket) -> io::Result<Self> {
        let local = socket.local_addr()?.as_socket().ok_or(io::ErrorKind::Unsupported)?;
        let hops = if local.is_ipv4() {
            setsockopt(&socket, sockopt::Ipv4RecvTtl, &true)?;
            socket.ttl_v4()?
        } else {
            setsockopt(&socket, sockopt::Ipv6RecvHopLimit, &true)?;
            // For IPv4 on an IPv6 socket.
            setsockopt(&socket, sockopt::Ipv4RecvTtl, &true)?;
            socket.unicast_hops_v6()?
        };
        if local.ip().is_unspecified() {
            if local.is_ipv4() {
                setsockopt(&socket, sockopt::Ipv4PacketInfo, &true)?;
            } else {
                setsockopt(&socket, sockopt::Ipv6RecvPacketInfo, &true)?;
            }
        }
        Ok(Self { socket, local, default_hops: hops, hops: AtomicU32::new(hops) })
    }

    /// The address that it is bound to.
    pub fn local(&self) -> SocketAddr {
        self.local
    }

    /// The hops that what this machine sends starts with.
    pub fn default_hops(&self) -> u32 {
        self.default_hops
    }

    /// Sends `bytes` to `to`, from the address that was `asked`.
    pub fn send(&self, bytes: &[u8], to: SocketAddr, asked: Option<Asked>) -> io::Result<()> {
        let Some(asked) = asked else {
            // Bound to one address, it has no other to send from.
            sendto(&self.socket, bytes, SendFlags::DONTWAIT, &to)?;
            return Ok(());
        };
        let to = SockaddrStorage::from(to);
        let parts = [IoSlice::new(bytes)];
        let fd = self.socket.as_raw_fd();
        let flags = MsgFlags::MSG_DONTWAIT;
        match asked {
            Asked::V4(mut info) => {
                // The route decides which interface; the address is what counts.
                info.ipi_ifindex = 0;
                let control = [ControlMessage::Ipv4PacketInfo(&info)];
                sendmsg(fd, &parts, &control, flags, Some(&to))
            }
            Asked::V6(mut info) => {
                // A link-local address is one only together with its interface.
                if !Ipv6Addr::from(info.ipi6_addr.s6_addr).is_unicast_link_local() {
                    info.ipi6_ifindex = 0;
                }
                let control = [ControlMessage::Ipv6PacketInfo(&info)];
                sendmsg(fd, &parts, &control, flags, Some(&to))
            }
        }?;
        Ok(())
    }

    /// Lets what is sent from now on go so many hops.
    pub fn set_hops(&self, hops: u32) -> io::Result<()> {
        if self.hops.load(Ordering::Relaxed) == hops {
            return Ok(());
        }
        if self.local.is_ipv4() {
            self.socket.set_ttl_v4(hops)?;
        } else {
            self.socket.set_unicast_hops_v6(hops)?;
            // For IPv4 on an IPv6 socket.
            self.socket.set_ttl_v4(hops)?;
        }
        self.hops.store(hops, Ordering::Relaxed);
        Ok(())
    }
}

/// A Unix datagram socket.
#[derive(Debug)]
pub struct UnixEnd {
    socket: UnixDatagram,
    local: net::SocketAddr,
}

impl AsRawFd for UnixEnd {
    fn as_raw_fd(&self) -> RawFd {
        self.socket.as_raw_fd()
    }
}

impl UnixEnd {
    /// Takes a bound socket that does not block.
    pub fn new(socket: Socket) -> io::Result<Self> {
        let socket = UnixDatagram::from(OwnedFd::from(socket));
        Ok(Self { local: socket.local_addr()?, socket })
    }

    /// Takes the next datagram into `buffer`: its length, and who sent it.
    pub fn receive(&self, buffer: &mut [u8]) -> io::Result<(usize, net::SocketAddr)> {
        self.socket.recv_from(buffer)
    }

    /// Sends `bytes` to `to`.
    pub fn send(&self, bytes: &[u8], to: &net::SocketAddr) -> io::Result<()> {
        self.socket.send_to_addr(bytes, to).map(drop)
    }

    /// Whether `address` is its own.
    pub fn is_own(&self, address: &net::SocketAddr) -> bool {
        match (self.local.as_pathname(), self.local.as_abstract_name()) {
            (Some(path), _) => address.as_pathname() == Some(path),
            (_, Some(name)) => address.as_abstract_name() == Some(name),
            (None, None) => false,
        }
    }
}
