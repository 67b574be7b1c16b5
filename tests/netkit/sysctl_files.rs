//! What the files would set, against what `sysctl --system` and systemd-sysctl left in /proc/sys
//! after they read the same files.
//!
//! Each case is a tree. netkit reads it twice, by its own root and as the system's, and says what
//! each program would write; what that comes to in the kernel has to be what the program left.

use std::path::Path;

use netkit::kernel::sysctl_files::{ConfigTree, read_tree};
use netkit::sysctl::files::{Peer, Plan};

use crate::harness::boot::{self, Boot, File, State};
use crate::harness::{Need, live};

const NEEDS: &[Need] = &[Need::Mount, Need::Veth, Need::Procps, Need::SystemdSysctl];

/// A case: what it is about, and its files.
type Case<'a> = (&'a str, &'a [File<'a>]);

/// A case of one file.
type Lines<'a> = (&'a str, &'a str);

#[test]
fn files_are_read_as_the_programs_read_them() {
    live(NEEDS, || agree(FILES));
}

#[test]
fn lines_mean_what_the_programs_take_them_for() {
    live(NEEDS, || agree_on_lines(LINES));
}

#[test]
fn patterns_and_exclusions_reach_as_far_as_in_the_programs() {
    live(NEEDS, || agree_on_lines(PATTERNS));
}

#[test]
fn lines_of_more_than_a_mebibyte_end_the_file_for_one_of_them() {
    let blanks = " ".repeat(1 << 20);
    let value = format!("{K} = 11{blanks}\n{I} = 12\n");
    let comment = format!("{I} = 12\n#{blanks}\n{K} = 11\n");
    let nearly = format!("#{}\n{K} = 11\n", &blanks[2..]);
    live(NEEDS, || {
        agree_on_lines(&[("value", &value), ("comment", &comment), ("just short", &nearly)]);
    });
}

fn agree_on_lines(cases: &[Lines]) {
    let boot = Boot::new();
    let wrong: Vec<_> = cases
        .iter()
        .filter_map(|(name, text)| disagreement(&boot, name, &[("etc/sysctl.d/50.conf", text)]))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn agree(cases: &[Case]) {
    let boot = Boot::new();
    let wrong: Vec<_> =
        cases.iter().filter_map(|(name, files)| disagreement(&boot, name, files)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// How netkit's answer differs from what the programs left; `None` if it does not.
fn disagreement(boot: &Boot, name: &str, files: &[File]) -> Option<String> {
    boot.put(files);
    let trees = [boot.root(), Path::new("/")].map(|root| read_tree(root).unwrap());
    let mut wrong = String::new();
    for peer in Peer::ALL {
        let theirs = boot::applied_by(peer);
        for tree in &trees {
            let ours = foretold(tree, peer);
            for (path, value) in ours.iter().filter(|(path, value)| theirs[*path] != **value) {
                wrong += &format!("{name}: {peer} left {path} = {}, not {value}\n", theirs[path]);
            }
        }
    }
    (!wrong.is_empty()).then_some(wrong)
}

/// The kernel's values after what netkit says that `peer` writes.
fn foretold(tree: &ConfigTree, peer: Peer) -> State {
    boot::reset();
    let merge = Plan::new(&tree.files, peer).merge(&boot::keys());
    for (key, setting) in &merge.settings {
        // The kernel is the judge of what it accepts.
        setting.left(|value| boot::write(key.relative_path(), value));
    }
    boot::state()
}

const K: &str = "net.ipv4.tcp_fin_timeout";
const I: &str = "net.ipv4.tcp_keepalive_intvl";

const K11: &str = "net.ipv4.tcp_fin_timeout = 11\n";
const K12: &str = "net.ipv4.tcp_fin_timeout = 12\n";
const K13: &str = "net.ipv4.tcp_fin_timeout = 13\n";
const K14: &str = "net.ipv4.tcp_fin_timeout = 14\n";

const FILES: &[Case] = &[
    ("nothing", &[]),
    (
        "one name in four directories",
        &[
            ("etc/sysctl.d/5.conf", K11),
            ("run/sysctl.d/5.conf", K12),
            ("usr/local/lib/sysctl.d/5.conf", K13),
            ("usr/lib/sysctl.d/5.conf", K14),
        ],
    ),
    (
        "one name in three",
        &[
            ("run/sysctl.d/5.conf", K12),
            ("usr/local/lib/sysctl.d/5.conf", K13),
            ("usr/lib/sysctl.d/5.conf", K14),
        ],
    ),
    (
        "one name in two",
        &[("usr/local/lib/sysctl.d/5.conf", K13), ("usr/lib/sysctl.d/5.conf", K14)],
    ),
    (
        "names are sorted over all directories",
        &[("etc/sysctl.d/10.conf", K11), ("usr/lib/sysctl.d/20.conf", K14)],
    ),
    ("names are sorted by bytes", &[("etc/sysctl.d/10.conf", K11), ("etc/sysctl.d/9.conf", K12)]),
    ("capitals come first", &[("etc/sysctl.d/zz.conf", K12), ("usr/lib/sysctl.d/ZZ.conf", K14)]),
    ("ASCII comes first", &[("etc/sysctl.d/z.conf", K11), ("etc/sysctl.d/é.conf", K12)]),
    ("a mask", &[("etc/sysctl.d/5.conf", "-> /dev/null"), ("usr/lib/sysctl.d/5.conf", K14)]),
    (
        "a mask by another path",
        &[("etc/sysctl.d/5.conf", "-> ../../dev/null"), ("usr/lib/sysctl.d/5.conf", K14)],
    ),
    ("an empty file is a mask", &[("etc/sysctl.d/5.conf", ""), ("usr/lib/sysctl.d/5.conf", K14)]),
    (
        "a mask in a later directory",
        &[("run/sysctl.d/5.conf", "-> /dev/null"), ("etc/sysctl.d/5.conf", K11)],
    ),
    (
        "a link to nothing hides",
        &[("etc/sysctl.d/5.conf", "-> /nowhere"), ("usr/lib/sysctl.d/5.conf", K14)],
    ),
    (
        "a link to nothing does not end it",
        &[("etc/sysctl.d/1.conf", "-> /no/where"), ("usr/lib/sysctl.d/5.conf", K14)],
    ),
    (
        "a link to itself does not end it",
        &[("etc/sysctl.d/1.conf", "-> 1.conf"), ("usr/lib/sysctl.d/5.conf", K14)],
    ),
    (
        "a directory hides",
        &[("etc/sysctl.d/5.conf", "DIRECTORY"), ("usr/lib/sysctl.d/5.conf", K14)],
    ),
    (
        "a link to a directory does not end it",
        &[("etc/sysctl.d/1.conf", "-> /usr"), ("usr/lib/sysctl.d/5.conf", K14)],
    ),
    (
        "other names",
        &[
            ("etc/sysctl.d/a.conf~", K11),
            ("etc/sysctl.d/a.CONF", K11),
            ("etc/sysctl.d/aconf", K11),
            ("etc/sysctl.d/a.conf.bak", K11),
            ("etc/sysctl.d/a.conf.dpkg-new", K11),
            ("etc/sysctl.d/README.sysctl", K11),
        ],
    ),
    ("a hidden file", &[("etc/sysctl.d/.a.conf", K11)]),
    ("no name but the ending", &[("etc/sysctl.d/.conf", K11)]),
    (
        "a hidden file overrides for one",
        &[("etc/sysctl.d/.a.conf", K11), ("usr/lib/sysctl.d/.a.conf", K14)],
    ),
    (
        "two links to one file",
        &[
            ("etc/file", K11),
            ("etc/sysctl.d/10.conf", "-> ../file"),
            ("etc/sysctl.d/20.conf", K12),
            ("etc/sysctl.d/30.conf", "-> 10.conf"),
        ],
    ),
    (
        "a link changes the place",
        &[
            ("etc/sysctl.d/50.conf", "-> /usr/lib/sysctl.d/60.conf"),
            ("etc/sysctl.d/55.conf", K11),
            ("usr/lib/sysctl.d/60.conf", K14),
            ("usr/lib/sysctl.d/50.conf", K13),
        ],
    ),
    ("sysctl.conf alone", &[("etc/sysctl.conf", K11)]),
    ("sysctl.conf before all", &[("etc/sysctl.conf", K11), ("etc/sysctl.d/99-zz.conf", K12)]),
    (
        "sysctl.conf before a name that comes after its own",
        &[("etc/sysctl.conf", K11), ("etc/sysctl.d/zz.conf", K12)],
    ),
    (
        "sysctl.conf with its link",
        &[
            ("etc/sysctl.conf", K11),
            ("etc/sysctl.d/99-sysctl.conf", "-> ../sysctl.conf"),
            ("etc/sysctl.d/99-zz.conf", K12),
        ],
    ),
    (
        "sysctl.conf with an absolute link",
        &[
            ("etc/sysctl.conf", K11),
            ("etc/sysctl.d/99-sysctl.conf", "-> /etc/sysctl.conf"),
            ("etc/sysctl.d/99-aa.conf", K12),
        ],
    ),
    (
        "no sysctl.conf, and a link to it",
        &[("etc/sysctl.d/99-sysctl.conf", "-> ../sysctl.conf"), ("etc/sysctl.d/1.conf", K12)],
    ),
    ("sysctl.conf is a link", &[("etc/file", K11), ("etc/sysctl.conf", "-> file")]),
    ("sysctl.conf is masked", &[("etc/sysctl.conf", "-> /dev/null"), ("etc/sysctl.d/1.conf", K12)]),
    (
        "sysctl.conf is a directory",
        &[("etc/sysctl.conf", "DIRECTORY"), ("etc/sysctl.d/1.conf", K12)],
    ),
    (
        "the link overrides a file of its name",
        &[
            ("etc/sysctl.conf", K11),
            ("etc/sysctl.d/99-sysctl.conf", "-> ../sysctl.conf"),
            ("usr/lib/sysctl.d/99-sysctl.conf", K14),
        ],
    ),
    (
        "an explicit key of an earlier file, a pattern of a later one",
        &[
            ("etc/sysctl.d/1.conf", "net.ipv4.conf.lo.tag = 6\n"),
            ("etc/sysctl.d/2.conf", "net.ipv4.conf.*.tag = 5\n"),
        ],
    ),
    (
        "an explicit key that one of them does not read",
        &[
            ("etc/sysctl.conf", "net.ipv4.conf.lo.tag = 6\n"),
            ("etc/sysctl.d/2.conf", "net.ipv4.conf.*.tag = 5\n"),
        ],
    ),
    (
        "a pattern that one of them does not read",
        &[
            ("etc/sysctl.conf", "net.ipv4.conf.*.tag = 5\n"),
            ("etc/sysctl.d/2.conf", "net.ipv4.conf.lo.tag = 6\n"),
        ],
    ),
    (
        "a refused value after a good one",
        &[("etc/sysctl.d/1.conf", K11), ("etc/sysctl.d/2.conf", "net.ipv4.tcp_fin_timeout = x")],
    ),
];

const LINES: &[Lines] = &[
    ("CRLF", "net.ipv4.tcp_fin_timeout = 11\r\nnet.ipv4.tcp_keepalive_intvl=12\r\n"),
    ("CR alone", "net.ipv4.tcp_fin_timeout = 11\rnet.ipv4.tcp_keepalive_intvl=12\n"),
    ("CR after a comment", "# x\rnet.ipv4.tcp_keepalive_intvl=12\n"),
    ("CR CR LF", "net.ipv4.tcp_fin_timeout=11\r\r\nnet.ipv4.tcp_keepalive_intvl=12\r\r\n"),
    ("LF CR", "net.ipv4.tcp_fin_timeout=11\n\rnet.ipv4.tcp_keepalive_intvl=12\n\r"),
    ("NUL", "net.ipv4.tcp_fin_timeout=11\0net.ipv4.tcp_keepalive_intvl=12\n"),
    ("NUL first", "\0net.ipv4.tcp_fin_timeout=11\n"),
    ("form feeds", "\u{b}net.ipv4.tcp_fin_timeout\u{c}=\u{b}11\u{c}\n"),
    ("a blank form feed", "net.ipv4.tcp_fin_timeout=\u{b}11\n"),
    ("no-break space", "net.ipv4.tcp_fin_timeout=\u{a0}11\n"),
    ("byte order mark", "\u{feff}net.ipv4.tcp_fin_timeout=11\nnet.ipv4.tcp_keepalive_intvl=12\n"),
    ("no final newline", "net.ipv4.tcp_fin_timeout = 11"),
    (
        "comments",
        "# net.ipv4.tcp_fin_timeout=1\n; net.ipv4.tcp_fin_timeout=2\n  #net.ipv4.tcp_fin_timeout=3\n\
         \t;net.ipv4.tcp_fin_timeout=4\n// net.ipv4.tcp_fin_timeout=5\n",
    ),
    ("comment behind", "net.ipv4.tcp_fin_timeout = 11 # why\n"),
    ("semicolon behind", "net.ipv4.tcp_fin_timeout = 11;\n"),
    ("blanks", "\t  net.ipv4.tcp_fin_timeout\t =\t 11 \t\n"),
    ("no blanks", "net.ipv4.tcp_fin_timeout=11\n"),
    ("two equals signs", "net.ipv4.tcp_fin_timeout=11 = 12\n"),
    ("quotes", "net.ipv4.tcp_fin_timeout=\"11\"\n"),
    ("hexadecimal", "net.ipv4.tcp_fin_timeout=0x1e\n"),
    ("no equals sign", "net.ipv4.tcp_fin_timeout 11\nnet.ipv4.tcp_keepalive_intvl=12\n"),
    ("colon", "net.ipv4.tcp_fin_timeout: 11\nnet.ipv4.tcp_keepalive_intvl=12\n"),
    ("section", "[main]\nnet.ipv4.tcp_keepalive_intvl=12\n"),
    ("empty value", "net.ipv4.tcp_fin_timeout=\nnet.ipv4.tcp_keepalive_intvl=12\n"),
    ("empty key", "=11\nnet.ipv4.tcp_keepalive_intvl=12\n"),
    ("dash alone", "-\nnet.ipv4.tcp_keepalive_intvl=12\n"),
    ("dash and value", "-=11\nnet.ipv4.tcp_keepalive_intvl=12\n"),
    ("may fail", "-net.ipv4.tcp_fin_timeout=11\n"),
    ("may fail, and does", "-net.ipv4.tcp_fin_timeout=x\nnet.ipv4.tcp_keepalive_intvl=12\n"),
    ("blank after the dash", "- net.ipv4.tcp_fin_timeout = 11\n"),
    ("two dashes", "--net.ipv4.tcp_fin_timeout = 11\n"),
    ("refused", "net.ipv4.tcp_fin_timeout = x\nnet.ipv4.tcp_keepalive_intvl=12\n"),
    ("unknown key", "net.ipv4.no.such = 1\nnet.ipv4.tcp_keepalive_intvl=12\n"),
    ("slashes", "net/ipv4/tcp_fin_timeout = 11\n"),
    ("slash, then dots", "net/ipv4.tcp_fin_timeout = 11\n"),
    ("dots, then slash", "net.ipv4/tcp_fin_timeout = 11\n"),
    ("leading slash", "/net/ipv4/tcp_fin_timeout = 11\n"),
    ("leading dot", ".net.ipv4.tcp_fin_timeout = 11\n"),
    ("from /proc/sys", "/proc/sys/net/ipv4/tcp_fin_timeout = 11\n"),
    ("two dots", "net..ipv4.tcp_fin_timeout = 11\n"),
    ("two slashes", "net//ipv4/tcp_fin_timeout = 11\n"),
    ("a part that is a dot", "net/./ipv4/tcp_fin_timeout = 11\n"),
    ("dot at the end", "net.ipv4.tcp_fin_timeout. = 11\n"),
    ("slash at the end", "net/ipv4/tcp_fin_timeout/ = 11\n"),
    ("up and down", "net/../net/ipv4/tcp_fin_timeout = 11\n"),
    ("up and out", "net/../../sys/net/ipv4/tcp_fin_timeout = 11\n"),
    ("a directory", "net.ipv4 = 11\nnet.ipv4.tcp_keepalive_intvl=12\n"),
    ("capitals", "NET.IPV4.TCP_FIN_TIMEOUT = 11\n"),
    ("blank within", "net.ipv4. tcp_fin_timeout = 11\n"),
    ("command", "sysctl -w net.ipv4.tcp_fin_timeout=11\n"),
    ("interface with a dot, slashes", "net/ipv4/conf/eth0.100/tag = 11\n"),
    ("interface with a dot, dots and slash", "net.ipv4.conf.eth0/100.tag = 11\n"),
    ("interface with a dot, dots alone", "net.ipv4.conf.eth0.100.tag = 11\n"),
    ("twice", "net.ipv4.tcp_fin_timeout=11\nnet.ipv4.tcp_fin_timeout=12\n"),
    ("twice, written otherwise", "net.ipv4.tcp_fin_timeout=11\nnet/ipv4/tcp_fin_timeout=12\n"),
    ("twice, the last refused", "net.ipv4.tcp_fin_timeout=11\nnet.ipv4.tcp_fin_timeout=x\n"),
    ("twice, the last may fail", "net.ipv4.tcp_fin_timeout=11\n-net.ipv4.tcp_fin_timeout=x\n"),
    ("a pair", "net.ipv4.ip_local_port_range = 1024   2048\n"),
    ("a pair with a tab", "net.ipv4.ip_local_port_range = 1025\t2048\n"),
    ("half a pair", "net.ipv4.ip_local_port_range = 1025\n"),
    ("continued", "net.ipv4.tcp_fin_timeout = \\\n11\n"),
];

const PATTERNS: &[Lines] = &[
    ("a pattern", "net.ipv4.conf.*.tag = 5\n"),
    ("explicit after", "net.ipv4.conf.*.tag = 5\nnet.ipv4.conf.lo.tag=6\n"),
    ("explicit before", "net.ipv4.conf.lo.tag=6\nnet.ipv4.conf.*.tag = 5\n"),
    ("explicit and refused", "net.ipv4.conf.lo.tag=x\nnet.ipv4.conf.*.tag = 5\n"),
    ("explicit, may fail", "-net.ipv4.conf.lo.tag=x\nnet.ipv4.conf.*.tag = 5\n"),
    ("excluded after", "net.ipv4.conf.*.tag = 5\n-net.ipv4.conf.lo.tag\n"),
    ("excluded before", "-net.ipv4.conf.lo.tag\nnet.ipv4.conf.*.tag = 5\n"),
    ("excluded, slashes", "-net/ipv4/conf/lo/tag\nnet.ipv4.conf.*.tag = 5\n"),
    ("excluded, interface with a dot", "-net.ipv4.conf.eth0/100.tag\nnet.ipv4.conf.*.tag = 5\n"),
    ("excluded, CRLF", "-net.ipv4.conf.lo.tag\r\nnet.ipv4.conf.*.tag = 5\r\n"),
    ("excluded, with a comment", "-net.ipv4.conf.lo.tag # no\nnet.ipv4.conf.*.tag = 5\n"),
    ("excluded, blank after the dash", "-  net.ipv4.conf.lo.tag\nnet.ipv4.conf.*.tag = 5\n"),
    ("excluded, another key", "-net.ipv4.conf.none.tag\nnet.ipv4.conf.*.tag = 5\n"),
    ("explicit, then excluded", "net.ipv4.conf.lo.tag=6\n-net.ipv4.conf.lo.tag\n"),
    ("excluded, then explicit", "-net.ipv4.conf.lo.tag\nnet.ipv4.conf.lo.tag=6\n"),
    (
        "explicit, excluded, and a pattern",
        "net.ipv4.conf.lo.tag=6\n-net.ipv4.conf.lo.tag\nnet.ipv4.conf.*.tag = 5\n",
    ),
    (
        "excluded, explicit, and a pattern",
        "-net.ipv4.conf.lo.tag\nnet.ipv4.conf.*.tag = 5\nnet.ipv4.conf.lo.tag=6\n",
    ),
    (
        "explicit, excluded, explicit",
        "net.ipv4.conf.lo.tag=6\n-net.ipv4.conf.lo.tag\nnet.ipv4.conf.lo.tag=6\n",
    ),
    ("the later pattern", "net.ipv4.conf.*.tag = 5\nnet.ipv4.conf.eth*.tag = 7\n"),
    ("the later pattern is the wider", "net.ipv4.conf.eth*.tag = 7\nnet.ipv4.conf.*.tag = 5\n"),
    (
        "a pattern comes again",
        "net.ipv4.conf.*.tag = 5\nnet.ipv4.conf.eth*.tag = 7\nnet.ipv4.conf.*.tag = 6\n",
    ),
    (
        "a pattern comes again with its value",
        "net.ipv4.conf.*.tag = 5\nnet.ipv4.conf.eth*.tag = 7\nnet.ipv4.conf.*.tag = 5\n",
    ),
    (
        "a pattern comes again with its value, refused",
        "net.ipv4.conf.*.tag = 5\nnet.ipv4.conf.*.tag = x\nnet.ipv4.conf.*.tag = 5\n",
    ),
    ("? and a set", "net.ipv4.conf.eth?.tag = 5\nnet.ipv4.conf.[uv]0.tag = 6\n"),
    ("a set of others", "net.ipv4.conf.[!l]*.tag = 6\n"),
    ("a set of others, written otherwise", "net.ipv4.conf.[^l]*.tag = 6\n"),
    ("a range", "net.ipv4.conf.[k-m]o.tag = 5\n"),
    ("a set without end", "net.ipv4.conf.[lo.tag = 5\n"),
    ("a bracket in a set", "net.ipv4.conf.[]l]o.tag = 5\n"),
    ("a pattern for names with a dot", "net.ipv4.conf.eth0*.tag = 5\n"),
    ("a pattern with slashes", "net/ipv4/conf/eth0.*/tag = 5\n"),
    ("a pattern with a slash for a dot", "net.ipv4.conf.eth0/*.tag = 5\n"),
    ("a pattern with a dot for a slash", "net.ipv4.conf.eth0.*.tag = 5\n"),
    ("a pattern that may fail", "-net.ipv4.conf.*.tag = 5\n"),
    ("a pattern and a refused value", "net.ipv4.conf.*.tag = x\n"),
    ("a pattern that matches nothing", "net.ipv4.conf.zz*.tag = 5\n"),
    ("a pattern of one part matches one", "net.ipv4.*.tag = 5\n"),
    ("patterns of several parts", "net.*v4.conf.*.t?g = 5\n"),
    ("braces are no pattern", "net.ipv4.conf.{lo,v0}.tag = 5\n"),
    ("a backslash alone is no pattern", "net.ipv4.conf.\\lo.tag = 5\n"),
    ("a backslash in a pattern", "net.ipv4.conf.\\l*.tag = 5\n"),
    ("a star that is none", "net.ipv4.conf.\\*.tag = 5\n"),
    ("explicit, two dots", "net.ipv4.conf..lo.tag=6\nnet.ipv4.conf.*.tag = 5\n"),
    ("excluded, two dots", "-net.ipv4.conf..lo.tag\nnet.ipv4.conf.*.tag = 5\n"),
    ("pattern, leading slash", "net.ipv4.conf.lo.tag=6\n/net/ipv4/conf/*/tag = 5\n"),
    ("pattern, two slashes", "net.ipv4.conf.lo.tag=6\nnet/ipv4//conf/*/tag = 5\n"),
    ("pattern, up and down", "net.ipv4.conf.lo.tag=6\nnet/core/../ipv4/conf/*/tag = 5\n"),
];
