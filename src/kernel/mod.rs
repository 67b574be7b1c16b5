//! What Linux says: one file a kernel interface. Each has a pure parser from bytes, and a reader
//! that opens the interface and calls it. Nothing else in the crate touches the system.

pub mod binding;
pub mod clock;
pub mod connecting;
pub mod counters;
pub mod datagrams;
pub mod drop_in_file;
pub mod epoll;
mod error;
pub mod error_queue;
pub mod if_inet6;
pub mod interfaces;
pub mod interrupt;
mod link;
pub mod neighbour;
pub mod net_ns;
pub mod owned_socket;
pub mod owners;
pub mod path_access;
pub mod patience;
mod place;
pub mod proc_net;
mod proc_root;
pub mod program;
pub mod ready;
pub mod resolver;
mod rooted_path;
pub mod route;
mod rtnetlink;
pub mod sandbox;
pub mod seen;
pub mod serving;
pub mod sock_diag;
pub mod sockets;
pub mod standard_input;
pub mod sysctl_files;
pub mod sysctl_tree;
pub mod tcp_info;
pub mod tcp_settings;
pub mod unix_binding;
pub mod unix_sockets;
pub mod user_file;

pub use error::KernelError;
pub use nix::errno::Errno;
pub use place::Place;
pub use proc_root::ProcRoot;
