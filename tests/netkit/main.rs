//! The tests of netkit through its program: one binary, one module a subject.
//!
//! `NETKIT_LIVE=1 cargo test` makes a test fail that cannot run here; without it, such a test says
//! so on standard error and passes.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a test may panic, and makes and reads files of its own"
)]

mod bind_addresses;
mod bind_cli;
mod bind_errors;
mod bind_free_ports;
mod bind_json;
mod bind_owners;
mod bind_remedies;
mod bind_states;
mod bind_udp;
mod bind_unix;
mod bind_untouched;
mod ci_health;
mod connect_cli;
mod connect_evidence;
mod connect_json;
mod connect_oracle;
mod echo_client;
mod echo_load;
mod echo_load_open;
mod echo_load_udp;
mod echo_messages;
mod echo_peers;
mod echo_prompt;
mod echo_selftest;
mod echo_selftest_faults;
mod echo_server;
mod echo_server_addresses;
mod echo_server_ends;
mod echo_server_faults;
mod echo_server_json;
mod echo_server_limits;
mod echo_server_tells;
mod echo_server_udp;
mod echo_terminal;
mod errnos;
mod explain;
mod harness;
mod house;
mod imports;
mod lab_cli;
mod lab_live;
mod states_cli;
mod states_filters;
mod states_json;
mod states_live;
mod states_netns;
mod states_procfs;
mod states_sources;
mod states_text;
mod states_verdict;
mod states_verdict_live;
mod sysctl_apply;
mod sysctl_check;
mod sysctl_cli;
mod sysctl_docs;
mod sysctl_files;
mod sysctl_json;
mod sysctl_values;
mod wait_cli;
mod wait_command;
mod wait_free;
mod wait_json;
mod wait_live;
mod wait_tables;
