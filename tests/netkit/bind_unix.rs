//! Unix sockets: a path that exists is in use, and what matters is whether somebody has it.

use std::fs::{self, Permissions};
use std::net::Shutdown;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _, symlink};
use std::os::unix::net::{SocketAddr, UnixDatagram, UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use socket2::{Domain, SockAddr, Socket, Type};
use tempfile::TempDir;

use crate::harness::binding::{IN_USE, OK, code};
use crate::harness::judgement::{blocker, judge, judged, remedies, remedy};
use crate::harness::needs::run;
use crate::harness::{Need, Netkit, Nobody, Other, live, netkit, within};

const ENOENT: i32 = 2;
const EACCES: i32 = 13;
const ENOTDIR: i32 = 20;

fn directory() -> TempDir {
    tempfile::tempdir().unwrap()
}

/// What netkit says of `path`, and that the kernel says the same code.
#[track_caller]
fn ask(path: &Path) -> Value {
    let by_netkit = judge(&format!("unix:{}", path.display()));
    let by_kernel = code(UnixListener::bind(path));
    assert_eq!(by_netkit["code"], by_kernel, "kernel {by_kernel}, {by_netkit:#}");
    let expected = json!(["unix", format!("unix:{}", path.display())]);
    assert_eq!(json!([by_netkit["protocol"], by_netkit["address"]]), expected);
    by_netkit
}

/// A path in use, by this role and by this process or by nobody.
#[track_caller]
fn in_use(path: &Path, role: &str, is_ours: bool) -> Value {
    let answer = ask(path);
    assert_eq!(answer["code"], IN_USE, "{answer:#}");
    let it = blocker(&answer);
    assert_eq!((&it["role"], &it["remote"]), (&json!(role), &Value::Null), "{answer:#}");
    let owners = it["owners"].as_array().unwrap();
    let pids: Vec<_> = owners.iter().map(|owner| owner["pid"].clone()).collect();
    assert_eq!(pids, vec![json!(std::process::id()); usize::from(is_ours)], "{answer:#}");
    if role != "unix_live" {
        assert_eq!(it["state"], Value::Null, "{answer:#}");
    }
    answer
}

#[test]
fn a_live_listener() {
    live(&[Need::Root], || {
        let directory = directory();
        let path = directory.path().join("live");
        let listener = UnixListener::bind(&path).unwrap();
        let answer = in_use(&path, "unix_live", true);
        assert_eq!(blocker(&answer)["state"], "LISTEN", "{answer:#}");
        assert!(!remedies(&answer).contains(&"unlink"), "{answer:#}");
        remedy(&answer, "stop_owner");
        // Nobody came: netkit looks into the kernel's table, and does not connect.
        listener.set_nonblocking(true).unwrap();
        assert!(listener.accept().is_err());
        // A connection has the path too, and is not in the way of anything.
        let _client = UnixStream::connect(&path).unwrap();
        in_use(&path, "unix_live", true);
    });
}

#[test]
fn a_bound_socket_and_a_datagram_socket_are_alive() {
    live(&[Need::Root], || {
        let directory = directory();
        let path = directory.path().join("bound");
        let bound = Socket::new(Domain::UNIX, Type::STREAM, None).unwrap();
        bound.bind(&SockAddr::unix(&path).unwrap()).unwrap();
        in_use(&path, "unix_live", true);
        let path = directory.path().join("dgram");
        let datagram = UnixDatagram::bind(&path).unwrap();
        in_use(&path, "unix_live", true);
        let line = format!("unix:{} --type dgram", path.display());
        assert_eq!(blocker(&judge(&line))["role"], "unix_live");
        datagram.shutdown(Shutdown::Both).unwrap();
        in_use(&path, "unix_live", true);
    });
}

#[test]
fn a_stale_file_stays_where_it_is() {
    live(&[Need::Root], || {
        let directory = directory();
        let path = directory.path().join("stale");
        drop(UnixListener::bind(&path).unwrap());
        for _ in 0..2 {
            let answer = in_use(&path, "unix_stale", false);
            remedy(&answer, "unlink");
            assert_eq!(answer["frees_itself"], false, "{answer:#}");
            assert!(fs::symlink_metadata(&path).unwrap().file_type().is_socket());
        }
    });
}

#[test]
fn whatever_else_has_the_path() {
    live(&[Need::Root], || {
        let directory = directory();
        let at = |name: &str| directory.path().join(name);
        fs::write(at("file"), "text").unwrap();
        fs::create_dir(at("directory")).unwrap();
        symlink("nowhere", at("dangling")).unwrap();
        for name in ["file", "directory", "dangling"] {
            in_use(&at(name), "path", false);
        }
        assert_eq!(fs::read_to_string(at("file")).unwrap(), "text");
        assert!(fs::symlink_metadata(at("dangling")).unwrap().is_symlink());
        assert!(!at("nowhere").exists());
        let answer = ask(&at("missing").join("socket"));
        assert_eq!((&answer["code"], &answer["blockers"]), (&json!(ENOENT), &json!([])));
        remedy(&answer, "make_directory");
        assert!(!at("missing").exists());
        assert_eq!(ask(&at("file").join("socket"))["code"], ENOTDIR);
    });
}

#[test]
fn a_directory_that_the_user_may_not_write() {
    live(&[Need::Root, Need::Setpriv], || {
        let nobody = Nobody::new();
        let directory = directory();
        let set = |mode| fs::set_permissions(directory.path(), Permissions::from_mode(mode));
        set(0o755).unwrap();
        let path = directory.path().join("socket");
        let line = format!("bind --json unix:{}", path.display());
        let refused = judged(nobody.netkit(&line));
        let expected = (&json!(EACCES), &json!([]));
        assert_eq!((&refused["code"], &refused["blockers"]), expected, "{refused:#}");
        remedy(&refused, "another_path");
        set(0o777).unwrap();
        assert_eq!(judged(nobody.netkit(&line))["code"], OK);
        assert!(!path.exists());
    });
}

#[test]
fn abstract_names_are_in_use_until_they_are_closed() {
    live(&[Need::Root], || {
        for name in ["in-use", "with/slash"] {
            let address = SocketAddr::from_abstract_name(name).unwrap();
            let line = format!("unix:@{name}");
            assert_eq!(judge(&line)["code"], OK);
            let listener = UnixListener::bind_addr(&address).unwrap();
            let answer = judge(&line);
            assert_eq!((&answer["code"], &answer["address"]), (&json!(IN_USE), &json!(line)));
            let it = blocker(&answer);
            assert_eq!(it["role"], "unix_live", "{answer:#}");
            assert_eq!(it["owners"][0]["pid"], std::process::id(), "{answer:#}");
            drop(listener);
            assert_eq!(judge(&line)["code"], OK);
        }
    });
}

#[test]
fn a_path_is_the_same_by_whichever_words() {
    live(&[Need::Root], || {
        let directory = directory();
        std::env::set_current_dir(directory.path()).unwrap();
        fs::create_dir("below").unwrap();
        symlink("below", "also").unwrap();
        let _relative = UnixListener::bind("below/relative").unwrap();
        let _absolute = UnixListener::bind(directory.path().join("absolute")).unwrap();
        for words in ["below/relative", "./below/../below/relative", "also/relative", "absolute"] {
            in_use(Path::new(words), "unix_live", true);
            in_use(&directory.path().join(words), "unix_live", true);
        }
    });
}

#[test]
fn a_socket_of_another_namespace_is_not_stale() {
    live(&[Need::Root], || {
        let directory = directory();
        let path = directory.path().join("there");
        let other = Other::new();
        let there = within(&other.path(), || UnixListener::bind(&path).unwrap());
        let answer = ask(&path);
        assert_eq!(blocker(&answer)["role"], "unix_live", "{answer:#}");
        assert!(!remedies(&answer).contains(&"unlink"), "{answer:#}");
        there.set_nonblocking(true).unwrap();
        drop(there);
        in_use(&path, "unix_stale", false);
    });
}

#[test]
fn a_free_path_is_as_free_afterwards() {
    live(&[Need::Root], || {
        let directory = directory();
        std::env::set_current_dir(directory.path()).unwrap();
        fs::create_dir("below").unwrap();
        let absolute = directory.path().join("absolute");
        let targets = [absolute, PathBuf::from("relative"), PathBuf::from("below/relative")];
        for target in &targets {
            for kind in ["stream", "dgram", "seqpacket"] {
                let answer = judge(&format!("unix:{} --type {kind}", target.display()));
                assert_eq!(answer["code"], OK, "{answer:#}");
                assert!(fs::symlink_metadata(target).is_err(), "{}", target.display());
            }
            let line = format!("bind --reuse-addr unix:{}", target.display());
            netkit(&line).run().exits(0);
            assert!(fs::symlink_metadata(target).is_err(), "{}", target.display());
        }
        let names = fs::read_dir(directory.path()).unwrap().map(|it| it.unwrap().file_name());
        assert_eq!(names.collect::<Vec<_>>(), ["below"]);
        let with_blank: Netkit = netkit("bind --json").arg("unix:with blank");
        assert_eq!(judged(with_blank)["address"], "unix:with blank");
    });
}

#[test]
fn a_listener_whose_file_is_gone_is_not_in_the_way() {
    live(&[Need::Root], || {
        let directory = directory();
        let path = directory.path().join("unlinked");
        let _first = UnixListener::bind(&path).unwrap();
        fs::remove_file(&path).unwrap();
        let answer = judge(&format!("unix:{}", path.display()));
        assert_eq!(answer["code"], OK, "{answer:#}");
        // The second one has the path now; the first has only its name.
        let second = UnixListener::bind(&path).unwrap();
        in_use(&path, "unix_live", true);
        drop(second);
        in_use(&path, "unix_stale", false);
    });
}

#[test]
fn the_same_inode_on_another_file_system_is_another_file() {
    live(&[Need::Mount], || {
        // The first file on each tmpfs has the same number.
        let directory = tempfile::tempdir().unwrap();
        let [stale, live] = ["one", "two"].map(|name| {
            let mount = directory.path().join(name);
            fs::create_dir(&mount).unwrap();
            run(&format!("mount -t tmpfs none {}", mount.display()));
            mount.join("socket")
        });
        drop(UnixListener::bind(&stale).unwrap());
        let _listener = UnixListener::bind(&live).unwrap();
        let inode = |path: &Path| fs::metadata(path).unwrap().ino();
        assert_eq!(inode(&stale), inode(&live), "the test looks at nothing");
        let role =
            |path: &Path| judge(&format!("unix:{}", path.display()))["blockers"][0]["role"].clone();
        assert_eq!((role(&stale), role(&live)), ("unix_stale".into(), "unix_live".into()));
    });
}
