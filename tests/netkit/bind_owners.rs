//! Who has the socket: every process that has it open, whoever made it.

use std::os::fd::OwnedFd;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use crate::harness::binding::Reuse;
use crate::harness::conditions::{bound, fresh};
use crate::harness::judgement::{blocker, judge, remedies};
use crate::harness::{Need, live};

/// A process that does nothing and has a copy of the socket as its standard input; it ends with
/// this.
struct Heir(Child);

impl Heir {
    fn of(socket: &socket2::Socket) -> Self {
        let copy = OwnedFd::from(socket.try_clone().unwrap());
        Self(Command::new("sleep").arg("60").stdin(Stdio::from(copy)).spawn().unwrap())
    }
}

impl Drop for Heir {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

fn owners(answer: &Value) -> Vec<Value> {
    let owners = blocker(answer)["owners"].as_array().unwrap().iter();
    let mut owners: Vec<_> = owners.map(|it| json!([it["pid"], it["fd"]])).collect();
    owners.sort_by_key(ToString::to_string);
    owners
}

#[test]
fn a_socket_belongs_to_all_who_have_it_and_to_the_last_of_them() {
    live(&[Need::Root], || {
        for is_listening in [true, false] {
            let end = fresh();
            let socket = bound(end, Reuse::Both);
            if is_listening {
                socket.listen(1).unwrap();
            }
            let heir = Heir::of(&socket);
            let own = json!([std::process::id(), std::os::fd::AsRawFd::as_raw_fd(&socket)]);
            let mut both = vec![own, json!([heir.0.id(), 0])];
            both.sort_by_key(ToString::to_string);
            assert_eq!(owners(&judge(&end.to_string())), both);
            drop(socket);
            let answer = judge(&end.to_string());
            assert_eq!(owners(&answer), [json!([heir.0.id(), 0])]);
            let last = blocker(&answer);
            assert_eq!(last["owners"][0]["name"], "sleep", "{last:#}");
            // Its options are read of the heir's descriptor.
            let options = (&last["reuse_addr"], &last["reuse_port"]);
            assert_eq!(options, (&json!(true), &json!(true)), "{last:#}");
            assert!(remedies(&answer).contains(&"stop_owner"), "{answer:#}");
            drop(heir);
            assert_eq!(judge(&end.to_string())["free"], true);
        }
    });
}

#[test]
fn one_process_that_has_it_twice_is_stopped_once() {
    live(&[Need::Root], || {
        let end = fresh();
        let socket = bound(end, Reuse::No);
        let copy = socket.try_clone().unwrap();
        let answer = judge(&end.to_string());
        assert_eq!(owners(&answer).len(), 2, "{answer:#}");
        let stops = remedies(&answer).into_iter().filter(|it| *it == "stop_owner");
        assert_eq!(stops.count(), 1, "{answer:#}");
        drop(copy);
        assert_eq!(owners(&judge(&end.to_string())).len(), 1);
    });
}
