//! Tests on the running kernel, each in a process and a network namespace of its own.
//!
//! A live test runs the test binary once more, for itself alone, under unshare(1). What it does to
//! sysctls, interfaces and mounts is gone with it, and the machine's own sockets are not seen.

use std::process::{Command, Stdio};

use super::needs::{Need, is_root, not_run, run};

/// Set for the process inside; its value is the test's name.
const INSIDE: &str = "NETKIT_TEST_INSIDE";

/// Runs `body` in a network and mount namespace of its own with `lo` up, where `needs` are there;
/// `Need::NetNs` and `Need::Ip` always are among them.
pub fn live<F: FnOnce()>(needs: &[Need], body: F) {
    let name = test_name::<F>();
    if std::env::var(INSIDE).is_ok_and(|inside| inside == name) {
        run("ip link set lo up");
        return body();
    }
    let all = [Need::NetNs, Need::Ip].into_iter().chain(needs.iter().copied());
    if let Some((need, why)) =
        all.map(|need| (need, need.lacking())).find_map(|(need, why)| Some((need, why?)))
    {
        return not_run(name, &format!("it needs {need:?}: {why}"));
    }
    run_inside(name);
}

/// unshare(1) with what this user may unshare.
pub fn unshare() -> Command {
    let mut command = Command::new("unshare");
    if !is_root() {
        command.args(["--user", "--map-root-user"]);
    }
    command.args(["--net", "--mount", "--"]);
    command
}

/// The name by which the test runner knows the test whose body has the type `F`.
fn test_name<F>() -> &'static str {
    let name = std::any::type_name::<F>();
    let name = name.strip_suffix("::{{closure}}").unwrap_or(name);
    name.split_once("::").unwrap().1
}

fn run_inside(name: &str) {
    let output = unshare()
        // A shell ignores SIGINT for what it runs in the background, and that is inherited.
        .args(["env", "--default-signal=INT,QUIT"])
        .arg(std::env::current_exe().unwrap())
        .args([name, "--exact", "--nocapture", "--test-threads=1"])
        .env(INSIDE, name)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said =
        [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    // A misspelt name would run nothing, which is also a success.
    let ran = said[0].contains("1 passed");
    assert!(
        output.status.success() && ran,
        "inside its namespace, {name} failed\n{}\n{}",
        said[0],
        said[1]
    );
}
