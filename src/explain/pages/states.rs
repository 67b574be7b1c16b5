//! The page of a state, and that of all states.

use crate::catalogue::states::{DIAGRAM, MOVES, STATES, StateEntry};
use crate::catalogue::{counters, findings, sysctls, time_wait};
use crate::explain::live::Now;
use crate::explain::page::{Command, Page, Section};
use crate::model::{StateClass, TcpState};

/// The page of `entry`.
pub(super) fn state(entry: &StateEntry, now: &Now<'_>) -> Page {
    let mut facts = vec![("lasts", entry.lasts.to_owned()), ("many", entry.many.to_owned())];
    let (state, is_udp) = match entry.class {
        StateClass::State(state) => (state, false),
        StateClass::FinWait2Mini => (TcpState::FIN_WAIT2, false),
        StateClass::UdpUnconnected => (TcpState::CLOSE, true),
    };
    if !is_udp {
        facts.insert(0, ("number", format!("{} in /proc/net/tcp", hex(state))));
    }
    let mut page = Page {
        kind: Some(if is_udp { "UDP state" } else { "TCP state" }),
        summary: entry.meaning.to_owned(),
        sections: vec![Section::facts(facts)],
        commands: vec![Command::new(entry.look, "shows those that are there")],
        sources: vec!["RFC 9293 section 3.3.2".to_owned(), "include/net/tcp_states.h".to_owned()],
        ..Page::default()
    };
    if !is_udp {
        page.sections.extend(moves_of(state));
        page.see_also.push("states".to_owned());
    }
    if state == TcpState::TIME_WAIT {
        time_wait(&mut page, now);
    }
    page
}

fn hex(state: TcpState) -> String {
    format!("{:02X}", state.code())
}

/// How a state is come to and left.
fn moves_of(state: TcpState) -> Option<Section> {
    let row = |(from, event, to): &(TcpState, &str, TcpState)| {
        vec![from.name().into_owned(), (*event).to_owned(), to.name().into_owned()]
    };
    let own = MOVES.iter().filter(|(from, _, to)| *from == state || *to == state);
    let rows: Vec<_> = own.map(row).collect();
    let is_empty = rows.is_empty();
    (!is_empty).then(|| Section::table("How it is come to and left", &["FROM", "BY", "TO"], rows))
}

/// What there is to say of TIME_WAIT besides.
fn time_wait(page: &mut Page, now: &Now<'_>) {
    let settings = ["tw_reuse", "fin_timeout", "max_tw_buckets", "timestamps", "tw_recycle"];
    let settings = settings.map(|end| format!("net.ipv4.tcp_{end}"));
    let entries = || sysctls::all().filter(|entry| settings.iter().any(|key| key == entry.key));
    let told = |text: Option<&str>, meaning: &str| text.unwrap_or(meaning).to_owned();
    page.live.extend(now.counter("tw"));
    page.live
        .extend(entries().filter(|it| it.until.is_none()).filter_map(|entry| now.sysctl(entry)));
    page.sections.extend([
        Section::points("Why it is there", time_wait::PURPOSE),
        Section::facts_of("Whom it hurts", time_wait::HARM),
        Section::steps("What helps a client whose ports run short", time_wait::HELPS),
        Section::points("What does not", time_wait::DOES_NOT_HELP),
        Section::facts_of(
            "Settings",
            entries()
                .map(|entry| (entry.key, told(entry.myth.map(|myth| myth.truth), entry.meaning))),
        ),
        Section::facts_of(
            "Counters",
            ["TW", "TWRecycled", "TCPTimeWaitOverflow", "tw"]
                .into_iter()
                .filter_map(counters::find)
                .map(|it| (it.name, it.meaning)),
        ),
        Section::Text {
            heading: Some("Findings".to_owned()),
            text: findings::FINDINGS
                .iter()
                .filter(|it| it.id.starts_with("TW_"))
                .map(|it| it.id)
                .collect::<Vec<_>>()
                .join(", "),
        },
    ]);
    page.sources.extend(time_wait::SOURCES.map(str::to_owned));
}

/// The page of all states.
pub(super) fn all() -> Page {
    let row = |it: &StateEntry| vec![it.class.name().into_owned(), it.meaning.to_owned()];
    let moves = MOVES.iter().map(|(from, event, to)| {
        vec![from.name().into_owned(), (*event).to_owned(), to.name().into_owned()]
    });
    Page {
        sections: vec![
            Section::Diagram { heading: None, lines: DIAGRAM.lines().map(str::to_owned).collect() },
            Section::Text {
                heading: None,
                text: "← is received, → is sent. Whoever closes first goes down on the left and keeps \
                       TIME_WAIT; the other side goes down on the right. A RST ends any state at once"
                    .to_owned(),
            },
            Section::table("What each means", &["STATE", "MEANING"], STATES.iter().map(row)),
            Section::table("Who moves where", &["FROM", "BY", "TO"], moves),
        ],
        commands: vec![
            Command::new("netkit states", "counts those of this host"),
            Command::new("netkit states --time-wait", "whether TIME_WAIT is a problem here"),
        ],
        sources: vec![
            "RFC 9293 section 3.3.2, figure 5".to_owned(),
            "net/ipv4/tcp_input.c, tcp_rcv_state_process".to_owned(),
        ],
        ..Page::default()
    }
}
