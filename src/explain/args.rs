//! What was asked for.

use clap::Args as ClapArgs;

use super::topics::Group;

const USAGE: &str = "netkit explain [OPTIONS] [TOPIC]...
       netkit explain [OPTIONS] --list [--group GROUP]
       netkit explain [OPTIONS] --search WORD
       netkit explain [OPTIONS] --group GROUP";

const EXAMPLES: &str = "\
Examples:
  netkit explain                       which topics there are
  netkit explain TIME_WAIT             a state; any spelling will do
  netkit explain 111 ECONNRESET        error numbers, by number or name
  netkit explain 'Connection refused'  an error as a program said it
  netkit explain states                the states of TCP, drawn
  netkit explain tcp_tw_reuse          a setting, with its value now
  netkit explain send recv             socket calls and their traps
  netkit explain --search backlog      every page that speaks of it
  netkit explain tutorial              what well-known advice is worth
  netkit explain --group errnos --format markdown

Exit codes: 0 explained, 1 --search found nothing, 2 no such topic";

/// Explains a state, an errno, a setting, a counter, a finding or a call
#[derive(Clone, Debug, ClapArgs)]
#[command(after_help = EXAMPLES, override_usage = USAGE)]
pub struct Args {
    /// What to explain: a state, an errno, its number or its text, a setting, a counter, a finding, a
    /// socket call, or a guide (states, sockets, tcp-vs-udp, layers, tutorial, exit-codes)
    #[arg(value_name = "TOPIC", allow_negative_numbers = true)]
    pub topics: Vec<String>,
    /// List every topic with what it is in a line; with --group, those of it
    #[arg(long, conflicts_with_all = ["topics", "search"])]
    pub list: bool,
    /// List the topics whose pages have this word
    #[arg(long, value_name = "WORD", conflicts_with_all = ["topics", "group"])]
    pub search: Option<String>,
    /// Explain every topic of a group
    #[arg(long, value_enum, value_name = "GROUP", conflicts_with = "topics")]
    pub group: Option<Group>,
}
