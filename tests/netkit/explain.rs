//! `netkit explain`: every topic, every spelling, every format, and that what its pages name is there.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use insta::assert_snapshot;
use netkit::catalogue::{counters, eai, errnos, findings, layers, sockets, states, sysctls};
use netkit::exit::Exit;
use netkit::{Streams, run};
use serde_json::Value;

use crate::harness::command::in_repository;
use crate::harness::schema::is_rfc_3339_utc;
use crate::harness::{Capture, Nobody, Schema, live, netkit};

const GROUPS: [&str; 8] =
    ["guides", "states", "sockets", "layers", "errnos", "sysctls", "counters", "findings"];

/// Every page, as JSON.
fn pages() -> Vec<Value> {
    let group = |group: &&str| {
        let answer = netkit(&format!("explain --json --group {group}")).run().exits(0).json();
        answer["topics"].as_array().unwrap().clone()
    };
    GROUPS.iter().flat_map(group).collect()
}

fn texts(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(text) => found.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| texts(item, found)),
        Value::Object(members) => members.values().for_each(|member| texts(member, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// A writer whose bytes can be read by who keeps a copy.
#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// `netkit explain WORDS` as a terminal of this width shows it.
fn at_width(words: &str, width: u16) -> String {
    let out = Shared::default();
    let mut streams = Streams::new(Box::new(out.clone()), Box::new(io::sink())).wide(width);
    let arguments = ["netkit", "explain"].into_iter().chain(words.split(' ')).map(Into::into);
    assert_eq!(run(arguments, &mut streams), Exit::Fine, "{words}");
    let bytes = out.0.lock().unwrap().clone();
    String::from_utf8(bytes).unwrap()
}

#[test]
fn a_state_is_a_page_in_any_spelling() {
    let page = netkit("explain --format markdown TIME_WAIT").run().exits(0).quietly().stdout;
    for word in ["time-wait", "TIME-WAIT", "timewait", "Time_Wait"] {
        assert_eq!(
            netkit(&format!("explain --format markdown {word}")).run().stdout,
            page,
            "{word}"
        );
    }
    for words in ["60 s, whatever any setting says", "SO_REUSEADDR", "tcp_tw_recycle", "470"] {
        assert!(page.contains(words), "{words}\n{page}");
    }
}

#[test]
fn every_row_of_every_catalogue_is_a_topic() {
    let listed: BTreeSet<_> = netkit("explain --list --format ndjson")
        .run()
        .exits(0)
        .rows()
        .into_iter()
        .map(|row| row["topic"].as_str().unwrap().to_owned())
        .collect();
    let states = states::STATES.iter().map(|it| it.class.name().into_owned());
    let words = sockets::FAMILIES.iter().chain(&sockets::TYPES).chain(&sockets::OPTIONS);
    let calls = sockets::CALLS.iter().map(|it| it.name);
    let names = errnos::ERRNOS.iter().map(|it| it.1).chain(sysctls::all().map(|it| it.key));
    let names = names.chain(counters::COUNTERS.iter().map(|it| it.name));
    let names = names.chain(eai::EAI.iter().map(|it| it.1)).chain([errnos::OK.1]);
    let names = names.chain(findings::FINDINGS.iter().map(|it| it.id));
    let names = names.chain(words.map(|it| it.name)).chain(calls).map(str::to_owned);
    let layers = layers::LAYERS.iter().map(|it| format!("layer-{}", it.number));
    let mut known = 0;
    for name in names.chain(states).chain(layers) {
        assert!(listed.contains(&name), "{name} is no topic");
        known += 1;
    }
    // The others are the guides.
    assert_eq!(listed.len() - known, 7);
}

#[test]
fn numbers_names_and_paths_are_understood() {
    let topic = |word: &str| {
        let answer = netkit("explain --json").arg(word).run().exits(0).json();
        let topics = answer["topics"].as_array().unwrap().iter();
        topics.map(|it| it["topic"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    for (word, expected) in [
        ("111", "ECONNREFUSED"),
        ("0", "OK"),
        ("econnrefused", "ECONNREFUSED"),
        ("EWOULDBLOCK", "EAGAIN"),
        ("-2", "EAI_NONAME"),
        ("tcp_tw_reuse", "net.ipv4.tcp_tw_reuse"),
        ("net/ipv4/tcp_tw_reuse", "net.ipv4.tcp_tw_reuse"),
        ("/proc/sys/net/core/somaxconn", "net.core.somaxconn"),
        ("connect_ex()", "connect_ex"),
        ("recv(2)", "recv"),
        ("TcpExtListenOverflows", "ListenOverflows"),
        ("tw_ports_exhausted", "TW_PORTS_EXHAUSTED"),
        ("exit codes", "exit-codes"),
        ("OSI", "layers"),
        ("transport", "layer-4"),
        ("estab", "ESTABLISHED"),
        ("LISTEN", "LISTEN"),
        ("listen", "listen"),
    ] {
        assert_eq!(topic(word), [expected], "{word}");
    }
    assert_eq!(topic("Listen"), ["LISTEN", "listen"]);
    assert_eq!(topic("ip_nonlocal_bind").len(), 2);
    let several = netkit("explain --json 111 ECONNREFUSED send").run().exits(0).json();
    assert_eq!(several["topics"].as_array().unwrap().len(), 2, "each is explained once");
}

#[test]
fn a_word_that_is_no_topic_is_named_with_what_was_meant() {
    let hint =
        "hint: `netkit explain --list` has every topic, `--search WORD` looks into the pages\n";
    netkit("explain TIME_WIAT").run().is(
        2,
        "",
        &format!("netkit: there is no topic `TIME_WIAT`, did you mean `TIME_WAIT`?\n{hint}"),
    );
    netkit("explain EAGAIN 4711").run().is(
        2,
        "",
        &format!("netkit: there is no topic `4711`\n{hint}"),
    );
    let answer = netkit("explain").arg("a\u{1b}[31mb").run().exits(2);
    assert!(answer.stderr.contains("\\u{1b}[31m") && !answer.stderr.contains('\u{1b}'), "{answer}");
    for (line, words) in [
        ("explain --group errno", "errnos"),
        ("explain --list EAGAIN", "--list"),
        ("explain --search x EAGAIN", "--search"),
        ("explain --search x recv", "Usage: netkit explain [OPTIONS] [TOPIC]...\n"),
        ("explain --search", "--search"),
        ("states --format markdown", "this command has no format `markdown`"),
    ] {
        netkit(line).run().exits(2).complains(words);
    }
}

#[test]
fn an_error_is_explained_as_a_program_says_it() {
    for (words, topic) in [
        (&["Connection refused"][..], "ECONNREFUSED"),
        (&["Connection", "refused"], "ECONNREFUSED"),
        (&["[Errno 98] Address already in use"], "EADDRINUSE"),
        (&["[Errno", "98]", "Address", "already", "in", "use"], "EADDRINUSE"),
        (&["bind: Address already in use"], "EADDRINUSE"),
        (&["Connection reset by peer (os error 104)"], "ECONNRESET"),
        (&["Name or service not known"], "EAI_NONAME"),
        (&["No route to host"], "EHOSTUNREACH"),
    ] {
        let mut said = netkit("explain --json");
        for word in words {
            said = said.arg(word);
        }
        let answer = said.run().exits(0).quietly().json();
        assert_eq!(answer["topics"][0]["topic"], topic, "{words:?}");
        assert_eq!(answer["topics"].as_array().unwrap().len(), 1, "{words:?}");
    }
    for (_, name, text) in netkit::catalogue::errnos::ERRNOS {
        let found = netkit::explain::topics::find(text);
        assert!(found.len() == 1 && found[0].name == name, "{name}: {text}");
    }
}

#[test]
fn an_empty_word_is_no_topic_and_nothing_to_look_for() {
    for (option, words) in [("", "the topic is empty"), ("--search", "has no word")] {
        let netkit = netkit(&format!("explain {option}")).arg("");
        netkit.run().exits(2).complains(words).complains("hint: netkit explain".trim_end());
    }
}

#[test]
fn a_reason_ends_without_a_full_stop() {
    let page = netkit("explain --json tutorial").run().exits(0).json();
    let tables = page["topics"][0]["sections"].as_array().unwrap();
    let rows = tables.iter().flat_map(|it| it["rows"].as_array().unwrap());
    let mut reasons = rows.map(|row| row[2].as_str().unwrap());
    assert!(reasons.all(|it| !it.is_empty() && !it.ends_with('.')), "{page}");
}

#[test]
fn a_group_is_no_topic_and_leads_to_its_list() {
    for group in ["errnos", "Counters", "findings", "sysctls"] {
        let hint = format!("hint: netkit explain --list --group {}\n", group.to_lowercase());
        netkit(&format!("explain {group}")).run().exits(2).complains(&hint);
    }
}

#[test]
fn what_stands_below_a_heading_stands_further_in() {
    let page = netkit("explain TIME_WAIT").run().exits(0).stdout;
    let (_, findings) = page.split_once("\nFindings\n").unwrap();
    assert!(findings.starts_with("  TW_"), "{page}");
}

#[test]
fn the_link_is_of_two_layers() {
    let layers = netkit("explain layers").run().exits(0).stdout;
    assert!(layers.contains(" link        1-2 Ethernet"), "{layers}");
    for layer in ["layer-1", "layer-2"] {
        let page = netkit(&format!("explain {layer}")).run().exits(0).stdout;
        assert!(page.contains("is the interface up, and has it a carrier"), "{page}");
    }
}

#[test]
fn a_setting_is_the_page_of_sysctl_explain() {
    live(&[], || {
        for entry in sysctls::all() {
            let ours = netkit("explain").arg(entry.key).run().exits(0).quietly();
            let theirs = netkit("sysctl explain").arg(entry.key).run().exits(0);
            let sources = theirs.stdout.find("  sources ").unwrap();
            let body = &theirs.stdout[..sources];
            assert!(ours.stdout.starts_with(body), "{}\n{ours}\n{theirs}", entry.key);
        }
    });
}

#[test]
fn live_values_are_those_of_the_place() {
    let table = "TcpExt: TW ListenOverflows\nTcpExt: 4711 3\n";
    let capture = Capture::new().file("net/netstat", table);
    let answer = netkit("explain --json TW").procfs(capture.root()).run().exits(0).quietly().json();
    assert_eq!(answer["topics"][0]["live"][0]["name"], "TcpExt TW");
    assert_eq!(answer["topics"][0]["live"][0]["value"], "4711");
    let absent = netkit("explain --json PAWSOldAck").procfs(capture.root()).run().exits(0).json();
    assert_eq!(absent["topics"][0]["live"][0]["value"], Value::Null, "unknown is not 0");
    // Without the file the page is there, and says what it could not read.
    let blind = netkit("explain --procfs /nowhere TW tcp_tw_reuse").run().exits(0);
    assert!(blind.stdout.contains("TIME_WAIT") && blind.stderr.contains("/nowhere"), "{blind}");
    // That it is not there is said, and not that nobody knows.
    let gone = netkit("explain tutorial").procfs(capture.root()).run().exits(0).stdout;
    assert!(
        gone.contains("does not exist on this kernel") && !gone.contains("not known"),
        "{gone}"
    );
    let blind_words = netkit("explain --procfs /nowhere tutorial").run().exits(0).stdout;
    assert!(blind_words.contains("it could not be read"), "{blind_words}");
    let quiet = netkit("explain -q TW").run();
    quiet.is(0, "", "");
}

#[test]
fn every_counter_of_the_catalogue_is_the_kernels() {
    for entry in counters::COUNTERS {
        let path = format!("/proc/net/{}", entry.table.file());
        let text = fs::read_to_string(path).unwrap();
        let lines = text.lines().filter(|line| line.starts_with(entry.table.head()));
        let is_there = lines.flat_map(str::split_whitespace).any(|word| word == entry.name);
        assert!(is_there || entry.since.is_some(), "the kernel has no {}", entry.full_name());
    }
}

#[test]
fn every_topic_is_readable_at_any_width() {
    for group in GROUPS {
        for width in [40, 80, 120] {
            let text = at_width(&format!("--group {group}"), width);
            for line in text.lines() {
                let is_one_word = !line.trim().contains(' ');
                let fits = line.chars().count() <= usize::from(width);
                assert!(fits || is_one_word, "{group} at {width}: {line}");
            }
        }
        let list = at_width(&format!("--list --group {group}"), 40);
        let too_long =
            list.lines().find(|line| line.chars().count() > 40 && line.trim().contains(' '));
        assert_eq!(too_long, None);
    }
    let drawn = at_width("states", 80);
    assert!(drawn.contains("│ TIME_WAIT │"), "{drawn}");
    let narrow = at_width("states", 40);
    assert!(!narrow.contains('│') && narrow.contains("FIN_WAIT1"), "{narrow}");
}

#[test]
fn every_command_that_a_page_names_is_one() {
    let help = netkit("--help").run().exits(0).stdout;
    let mut named = Vec::new();
    for page in pages() {
        let mut found = Vec::new();
        texts(&page, &mut found);
        let lines = page["commands"].as_array().unwrap().iter();
        named.extend(lines.map(|it| it["line"].as_str().unwrap().to_owned()));
        // Within sentences a command stands between backticks, or is all of the text.
        for text in found {
            named.extend(text.split('`').skip(1).step_by(2).map(str::to_owned));
            named
                .extend(text.split("; ").filter(|it| it.starts_with("netkit ")).map(str::to_owned));
        }
    }
    named.retain(|line| line.starts_with("netkit "));
    named.sort();
    named.dedup();
    assert!(named.len() > 30, "{named:?}");
    for line in named {
        let words = line.strip_prefix("netkit ").unwrap();
        let command = words.split(' ').next().unwrap();
        let is_there = help.contains(&format!("\n  {command} "));
        assert!(is_there, "{line}: there is no such command");
        let words = words
            .replace("HOST:PORT", "127.0.0.1:9")
            .replace("PORT", "1")
            .replace("ADDRESS", "127.0.0.1")
            .replace("TOPIC", "TW")
            .replace("5s", "10ms");
        assert!(parses(&words), "{line}");
    }
}

#[test]
fn every_condition_of_the_lab_belongs_to_a_topic() {
    let pages = pages();
    let lines = pages.iter().flat_map(|page| page["commands"].as_array().unwrap());
    let named: BTreeSet<_> = lines.filter_map(|it| it["line"].as_str()).collect();
    for row in netkit("lab list --format ndjson").run().exits(0).rows() {
        let line = format!("netkit lab run {}", row["name"].as_str().unwrap());
        assert!(named.contains(&*line), "no page names `{line}`: src/explain/related.rs");
    }
}

/// Whether the program takes a command line.
fn parses(words: &str) -> bool {
    // The shell takes the quotes off; nothing is waited for long, no command is run, and a server ends.
    let words = &if let Some(rest) = words.strip_prefix("wait ") {
        format!("wait -t 10ms {}", rest.replace('\'', "").replace(" -- COMMAND", ""))
    } else if let Some(rest) = words.strip_prefix("echo server") {
        format!("echo server{rest} --for 10ms")
    } else {
        words.to_owned()
    };
    let arguments = ["netkit"].into_iter().chain(words.split(' ')).map(Into::into);
    if words.starts_with("lab run ") {
        // A condition takes seconds: its name is what has to be right.
        let list = netkit("lab list --format ndjson").run().exits(0).rows();
        let name = words.split(' ').nth(2).unwrap();
        return list.iter().any(|row| row["name"] == name);
    }
    let mut streams = Streams::new(Box::new(std::io::sink()), Box::new(std::io::sink()));
    run(arguments, &mut streams) != Exit::Usage
}

#[test]
fn names_under_see_also_are_topics_and_every_page_has_a_source() {
    for page in pages() {
        let topic = page["topic"].as_str().unwrap();
        for other in page["see_also"].as_array().unwrap() {
            let other = other.as_str().unwrap();
            assert_ne!(other, topic);
            assert_eq!(netkit::explain::topics::find(other).len(), 1, "{topic}: {other}");
        }
        assert!(!page["sources"].as_array().unwrap().is_empty(), "{topic}");
        assert!(!page["summary"].as_str().unwrap().ends_with('.'), "{topic}");
        assert!(!page["sections"].as_array().unwrap().is_empty(), "{topic}");
    }
}

#[test]
fn the_json_keeps_to_its_schemas() {
    let (schema, list) = (Schema::of("explain"), Schema::of("explain_list"));
    schema.is_complete();
    list.is_complete();
    let page = Schema::of("explain").definition("page");
    for group in GROUPS {
        let answer = netkit(&format!("explain --json --group {group}")).run().exits(0).json();
        schema.holds(&answer);
        is_rfc_3339_utc(&answer["captured_at"]);
        let rows =
            netkit(&format!("explain --format ndjson --group {group}")).run().exits(0).rows();
        assert_eq!(rows.len(), answer["topics"].as_array().unwrap().len());
        page.holds(&rows[0]);
    }
    for line in
        ["explain", "explain --list", "explain --search backlog", "explain --list --group states"]
    {
        list.holds(&netkit(&format!("{line} --json")).run().exits(0).json());
    }
    let without = serde_json::json!({"schema": "netkit.explain/1", "topics": [], "warnings": []});
    assert!(!schema.takes(&without));
}

#[test]
fn a_search_finds_names_first_and_says_where() {
    let rows = netkit("explain --search so_reuseaddr --format ndjson").run().exits(0).rows();
    assert_eq!(rows[0]["topic"], "SO_REUSEADDR");
    let bind = rows.iter().find(|row| row["topic"] == "bind").unwrap();
    assert!(bind["found"].as_str().unwrap().contains("SO_REUSEADDR"), "{bind}");
    netkit("explain --search zzzzqqq").run().is(1, "no page has `zzzzqqq`\n", "");
}

#[test]
fn csv_has_every_piece_of_a_page() {
    let answer = netkit("explain EPIPE exit-codes --format csv").run().exits(0).quietly();
    assert!(
        answer.stdout.starts_with("topic,part,name,text\nEPIPE,summary,,Broken pipe\n"),
        "{answer}"
    );
    for line in ["EPIPE,facts,number,32", "exit-codes,facts,2,"] {
        assert!(answer.stdout.contains(line), "{line}: {answer}");
    }
}

#[test]
fn the_reference_pages_are_what_the_program_says() {
    let mut stale = Vec::new();
    for group in GROUPS {
        let path = in_repository(&format!("docs/reference/{group}.md"));
        let made =
            netkit(&format!("explain --group {group} --format markdown")).run().exits(0).stdout;
        if fs::read_to_string(&path).unwrap_or_default() != made {
            stale.push(path);
        }
    }
    assert!(
        stale.is_empty(),
        "run `scripts/reference`: these are not what netkit explains: {stale:?}"
    );
}

#[test]
fn without_rights_it_explains_the_same() {
    live(&[crate::harness::Need::Root, crate::harness::Need::Setpriv], || {
        let line = "explain tcp_tw_reuse TIME_WAIT TW states";
        let root = netkit(line).run().exits(0).quietly().stdout;
        let nobody = Nobody::new().netkit(line).run().exits(0).quietly().stdout;
        assert_eq!(root, nobody);
    });
}

#[test]
fn pages_read_well() {
    let page = |words: &str| netkit(&format!("explain {words}")).run().exits(0).quietly().stdout;
    assert_snapshot!("econnreset", page("ECONNRESET"));
    assert_snapshot!("close_wait", page("CLOSE_WAIT"));
    assert_snapshot!("recv", page("recv"));
    assert_snapshot!("states", page("states"));
    assert_snapshot!("tcp_vs_udp", page("tcp-vs-udp"));
    assert_snapshot!("exit_codes", page("exit-codes"));
    assert_snapshot!("layers", page("layers"));
    assert_snapshot!("finding", page("TW_PORTS_EXHAUSTED"));
    assert_snapshot!("send_at_40", at_width("send", 40));
    assert_snapshot!("tcp_vs_udp_at_40", at_width("tcp-vs-udp", 40));
    let tutorial = page("tutorial --format markdown");
    assert_snapshot!("tutorial", tutorial);
}
