//! Sockets counted: by state, and by the keys of `--by`.

use std::collections::HashMap;

use clap::ValueEnum;
use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};

use crate::model::{Address, Endpoint, Family, Socket, StateClass};

/// Sockets counted by their state.
#[derive(Clone, Debug)]
pub struct Tally {
    counts: [u64; StateClass::PLACES],
}

impl Tally {
    /// Nothing counted yet.
    pub fn new() -> Self {
        Self { counts: [0; StateClass::PLACES] }
    }

    /// Counts a socket of `class`.
    #[inline]
    pub fn add(&mut self, class: StateClass) {
        if let Some(count) = self.counts.get_mut(class.place()) {
            *count += 1;
        }
    }

    /// How many sockets were counted.
    pub fn total(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// The states that were seen, the most frequent first.
    pub fn by_frequency(&self) -> Vec<(StateClass, u64)> {
        let counts = (0..).map(StateClass::at).zip(self.counts);
        let mut seen: Vec<_> = counts.filter(|(_, count)| *count > 0).collect();
        seen.sort_by_key(|(class, count)| (std::cmp::Reverse(*count), *class));
        seen
    }
}

/// What sockets can be counted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Key {
    /// The state.
    State,
    /// Address and port of this end.
    Local,
    /// Port of this end.
    LocalPort,
    /// Address and port of the other end.
    Remote,
    /// Address of the other end.
    RemoteAddress,
    /// Port of the other end.
    RemotePort,
    /// The family that the socket was made with.
    Family,
    /// The owner.
    Uid,
}

impl Key {
    /// The name in JSON and CSV.
    pub fn name(self) -> &'static str {
        match self {
            Self::State => "state",
            Self::Local => "local",
            Self::LocalPort => "local_port",
            Self::Remote => "remote",
            Self::RemoteAddress => "remote_address",
            Self::RemotePort => "remote_port",
            Self::Family => "family",
            Self::Uid => "uid",
        }
    }

    /// The heading of a table's column.
    pub fn heading(self) -> &'static str {
        match self {
            Self::State => "STATE",
            Self::Local => "LOCAL",
            Self::LocalPort => "LOCAL PORT",
            Self::Remote => "REMOTE",
            Self::RemoteAddress => "REMOTE ADDRESS",
            Self::RemotePort => "REMOTE PORT",
            Self::Family => "FAMILY",
            Self::Uid => "UID",
        }
    }

    fn of(self, socket: &Socket) -> KeyValue {
        match self {
            Self::State => KeyValue::State(socket.class()),
            Self::Local => KeyValue::Endpoint(socket.local),
            Self::LocalPort => KeyValue::Port(socket.local.port),
            Self::Remote => KeyValue::Endpoint(socket.remote),
            Self::RemoteAddress => KeyValue::Address(socket.remote.address),
            Self::RemotePort => KeyValue::Port(socket.remote.port),
            Self::Family => KeyValue::Family(socket.family),
            Self::Uid => KeyValue::Uid(socket.uid),
        }
    }
}

/// The value of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(untagged)]
pub enum KeyValue {
    /// A state.
    State(StateClass),
    /// An end.
    Endpoint(Endpoint),
    /// An address.
    Address(Address),
    /// A port; 0 for "any".
    Port(u16),
    /// A family.
    Family(Family),
    /// An owner; `None` where only the kernel holds the socket.
    Uid(Option<u32>),
}

impl KeyValue {
    /// The value in a table or in CSV, `absent` where there is none.
    pub fn text(self, absent: &str) -> String {
        match self {
            Self::State(class) => class.name().into_owned(),
            Self::Endpoint(endpoint) => endpoint.to_string(),
            Self::Address(address) => address.to_string(),
            Self::Port(port) => port.to_string(),
            Self::Family(family) => family.name().to_owned(),
            Self::Uid(uid) => uid.map_or_else(|| absent.to_owned(), |uid| uid.to_string()),
        }
    }
}

/// Sockets counted by keys.
#[derive(Clone, Debug)]
pub struct Grouping {
    keys: Vec<Key>,
    counts: HashMap<Box<[KeyValue]>, u64, foldhash::fast::RandomState>,
    scratch: Vec<KeyValue>,
}

impl Grouping {
    /// Nothing counted yet.
    pub fn by(keys: &[Key]) -> Self {
        let mut unique: Vec<Key> = Vec::new();
        for key in keys {
            if !unique.contains(key) {
                unique.push(*key);
            }
        }
        Self { keys: unique, counts: HashMap::default(), scratch: Vec::new() }
    }

    /// Counts `socket`.
    pub fn add(&mut self, socket: &Socket) {
        self.scratch.clear();
        self.scratch.extend(self.keys.iter().map(|key| key.of(socket)));
        match self.counts.get_mut(self.scratch.as_slice()) {
            Some(count) => *count += 1,
            None => drop(self.counts.insert(self.scratch.as_slice().into(), 1)),
        }
    }

    /// The `top` largest groups (0 for all), and what was cut.
    pub fn top(self, top: usize) -> Groups {
        let keys = self.keys;
        let mut groups: Vec<Group> = self
            .counts
            .into_iter()
            .map(|(values, sockets)| Group {
                key: GroupKey { names: keys.clone(), values },
                sockets,
            })
            .collect();
        groups.sort_by(|a, b| {
            b.sockets.cmp(&a.sockets).then_with(|| a.key.values.cmp(&b.key.values))
        });
        let kept = if top == 0 { groups.len() } else { top };
        let cut: Vec<Group> = groups.split_off(kept.min(groups.len()));
        let cut = Cut {
            groups: u64::try_from(cut.len()).unwrap_or(u64::MAX),
            sockets: cut.iter().map(|group| group.sockets).sum(),
        };
        Groups { keys, groups, cut }
    }
}

/// The groups that are shown.
#[derive(Clone, Debug, Serialize)]
pub struct Groups {
    /// The keys, in the order in which they were asked for.
    #[serde(skip)]
    pub keys: Vec<Key>,
    /// The largest group first.
    pub groups: Vec<Group>,
    /// What `--top` left out.
    #[serde(rename = "groups_cut")]
    pub cut: Cut,
}

/// One group.
#[derive(Clone, Debug, Serialize)]
pub struct Group {
    /// What its sockets have in common.
    pub key: GroupKey,
    /// How many there are.
    pub sockets: u64,
}

/// The values of a group's keys.
#[derive(Clone, Debug)]
pub struct GroupKey {
    names: Vec<Key>,
    /// One value a key, in the order of the keys.
    pub values: Box<[KeyValue]>,
}

impl Serialize for GroupKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.values.len()))?;
        for (key, value) in self.names.iter().zip(&self.values) {
            map.serialize_entry(key.name(), value)?;
        }
        map.end()
    }
}

/// Groups that were left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Cut {
    /// How many.
    pub groups: u64,
    /// How many sockets they have together.
    pub sockets: u64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::test_sockets::socket;

    #[test]
    fn groups_are_largest_first_and_what_is_cut_is_counted() {
        let mut grouping = Grouping::by(&[Key::State, Key::RemotePort]);
        for port in [80, 80, 80, 443, 443, 22] {
            grouping.add(&socket("ESTABLISHED", "10.0.0.1:40000", &format!("10.0.0.2:{port}")));
        }
        let groups = grouping.top(2);
        let counts: Vec<_> = groups.groups.iter().map(|group| group.sockets).collect();
        assert_eq!(counts, [3, 2]);
        assert_eq!(groups.cut, Cut { groups: 1, sockets: 1 });
        let key = serde_json::to_value(&groups.groups[0].key).unwrap();
        assert_eq!(key, serde_json::json!({"state": "ESTABLISHED", "remote_port": 80}));
    }
}
