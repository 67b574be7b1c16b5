//! The pages on many things at once.

use crate::catalogue::guides::{Advice, Because, PROGRAMMING, TCP_VS_UDP, TUNING};
use crate::catalogue::icmp::{ICMP, IcmpEntry};
use crate::catalogue::layers::{LAYERS, Layer, STEPS, Step, TCP_IP};
use crate::catalogue::sockets::{CALLS, FAMILIES, OPTIONS, SocketWord, TYPES};
use crate::catalogue::sysctls;
use crate::exit;
use crate::explain::live::Now;
use crate::explain::page::{Command, Page, Section};
use crate::explain::related::GUIDES;

/// The guide of this name.
pub(super) fn guide(name: &str, now: &Now<'_>) -> Page {
    let mut page = match name {
        "states" => super::states::all(),
        "sockets" => sockets(),
        "tcp-vs-udp" => tcp_vs_udp(),
        "layers" => layers(),
        "icmp" => icmp(),
        "tutorial" => tutorial(now),
        _ => exit_codes(),
    };
    let about =
        GUIDES.iter().find(|(known, _, _)| *known == name).map_or("", |(_, _, about)| about);
    about.clone_into(&mut page.summary);
    page
}

fn sockets() -> Page {
    let words = |words: &'static [SocketWord]| words.iter().map(|it| (it.name, it.meaning));
    let calls = CALLS.iter().map(|it| vec![it.name, it.who, it.meaning]);
    let beneath = CALLS.iter().map(|it| (it.name, it.beneath));
    let trap = |name: &str| {
        let call = CALLS.iter().find(|call| call.name == name);
        call.and_then(|call| call.traps.first()).map(|trap| format!("{name}: {trap}"))
    };
    let traps = ["bind", "listen", "accept", "send", "recv", "connect_ex", "sendto", "close"];
    Page {
        sections: vec![
            Section::facts_of("Families", words(&FAMILIES)),
            Section::facts_of("Types", words(&TYPES)),
            Section::facts_of("Options", words(&OPTIONS)),
            Section::table("Calls", &["CALL", "BY", "DOES"], calls),
            Section::facts_of("The system call beneath", beneath),
            Section::points("The traps that cost most", traps.into_iter().filter_map(trap)),
            Section::Text {
                heading: None,
                text: "each of these names is a topic of its own, with its traps and errors"
                    .to_owned(),
            },
        ],
        sources: vec!["socket(7), ip(7), tcp(7), udp(7), unix(7)".to_owned()],
        ..Page::default()
    }
}

fn tcp_vs_udp() -> Page {
    let rows = TCP_VS_UDP.iter().map(|row| row.to_vec());
    Page {
        sections: vec![Section::table("What a program sees", &["", "TCP", "UDP"], rows)],
        commands: vec![
            Command::new("netkit states --list --tcp --udp", "sockets of both"),
            Command::new("netkit bind PORT --udp", "who has a UDP port"),
        ],
        sources: vec!["RFC 9293; RFC 768; tcp(7), udp(7)".to_owned()],
        ..Page::default()
    }
}

fn layers() -> Page {
    let names = |layer: &Layer| {
        layer.protocols.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
    };
    let row = |layer: &Layer| {
        vec![layer.number.to_string(), layer.name.to_owned(), layer.tcp_ip.to_owned(), names(layer)]
    };
    let tcp_ip = TCP_IP.iter().map(|it| vec![it.name, it.meaning, it.place]);
    let step = |(index, step): (usize, &Step)| {
        let spoken =
            if step.protocols.is_empty() { "-".to_owned() } else { step.protocols.join(", ") };
        let number = (index + 1).to_string();
        vec![number, step.name.to_owned(), step.span(), spoken, step.question.to_owned()]
    };
    let looks = LAYERS.iter().flat_map(|layer| {
        let number = layer.number;
        layer.looks.iter().map(move |(line, what)| (number, *line, *what))
    });
    Page {
        sections: vec![
            Section::table(
                "The seven of OSI",
                &["", "OSI", "TCP/IP", "PROTOCOLS"],
                LAYERS.iter().map(row),
            ),
            Section::table("The four of TCP/IP", &["TCP/IP", "DOES", "WHERE"], tcp_ip),
            Section::table(
                "The way of a connection",
                &["", "STEP", "OSI", "SPOKEN", "QUESTION"],
                STEPS.iter().enumerate().map(step),
            ),
            Section::facts_of("How each fails", LAYERS.iter().map(|it| (it.name, it.failure))),
        ],
        commands: looks
            .map(|(number, line, what)| Command::new(line, &format!("layer {number}: {what}")))
            .collect(),
        see_also: LAYERS.iter().map(|layer| format!("layer-{}", layer.number)).collect(),
        sources: vec![
            "ISO/IEC 7498-1 (ITU-T X.200)".to_owned(),
            "RFC 1122 section 1.1.3".to_owned(),
        ],
        ..Page::default()
    }
}

fn icmp() -> Page {
    let row = |it: &IcmpEntry| {
        let number = format!("{}/{}", it.kind, it.code);
        vec![number, it.says.to_owned(), it.errno.to_owned(), it.meaning.to_owned()]
    };
    let of = |is_v6: bool| ICMP.iter().filter(move |it| it.is_v6 == is_v6).map(row);
    let columns = ["", "SAYS", "ERRNO", "MEANS"];
    Page {
        sections: vec![
            Section::table("ICMP, for IPv4", &columns, of(false)),
            Section::table("ICMPv6", &columns, of(true)),
        ],
        commands: vec![Command::new(
            "netkit connect HOST:PORT",
            "which message ended a connection attempt, and who sent it",
        )],
        see_also: ["EHOSTUNREACH", "ENETUNREACH", "ECONNREFUSED", "layers"]
            .map(str::to_owned)
            .to_vec(),
        sources: vec![
            "RFC 792, RFC 1122 section 3.2.2.1, RFC 4443".to_owned(),
            "net/ipv4/icmp.c, icmp_err_convert; net/ipv6/icmp.c, tab_unreach".to_owned(),
        ],
        ..Page::default()
    }
}

fn tutorial(now: &Now<'_>) -> Page {
    let advice = TUNING.iter().chain(&PROGRAMMING);
    let keys = advice.filter_map(|it| match it.because {
        Because::Sysctl(key) => sysctls::all().find(|entry| entry.key == key),
        Because::Fact(_) => None,
    });
    let row = |it: &Advice| vec![it.says.to_owned(), it.worth.name().to_owned(), why(it)];
    let columns = ["ADVICE", "IT IS", "BECAUSE"];
    Page {
        live: keys.filter_map(|entry| now.sysctl(entry)).collect(),
        sections: vec![
            Section::table("Too many TIME_WAITs", &columns, TUNING.iter().map(row)),
            Section::table("Echo servers and their clients", &columns, PROGRAMMING.iter().map(row)),
        ],
        commands: vec![
            Command::new("netkit states --time-wait", "whether there is a problem at all"),
            Command::new("netkit sysctl", "judges what such advice has left on this host"),
            Command::new("netkit bind PORT", "who has the address, and until when"),
        ],
        see_also: ["TIME_WAIT", "tcp-vs-udp", "sockets"].map(str::to_owned).to_vec(),
        sources: vec![
            "sysctl.d(5)".to_owned(),
            "the pages of the settings and calls; measured on Linux 6.18".to_owned(),
        ],
        ..Page::default()
    }
}

/// Why a piece of advice is worth what it is.
fn why(advice: &Advice) -> String {
    match advice.because {
        Because::Fact(text) => text.to_owned(),
        Because::Sysctl(key) => {
            let entry = sysctls::all().find(|entry| entry.key == key);
            let said = entry.map(|entry| {
                [entry.myth.map_or(entry.meaning, |myth| myth.truth), entry.judgement]
            });
            // Sentences in a cell: the last one ends with it.
            said.map_or_else(
                || key.to_owned(),
                |said| said.join(". ").trim_end_matches('.').to_owned(),
            )
        }
    }
}

fn exit_codes() -> Page {
    Page {
        sections: vec![Section::facts(exit::MEANINGS)],
        commands: vec![Command::new(
            "netkit states --time-wait --fail-on warning --quiet",
            "for scripts: the exit code alone",
        )],
        sources: vec!["src/exit.rs".to_owned()],
        ..Page::default()
    }
}
