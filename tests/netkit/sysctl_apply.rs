//! `netkit sysctl apply` and `undo` on the running kernel: only settings of the network namespace
//! that a live test has to itself, and drop-ins in directories of its own.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::command::in_repository;
use crate::harness::needs::run;
use crate::harness::nobody::UID;
use crate::harness::{Answer, Need, Nobody, Schema, live, netkit, sysctl};

const SOMAXCONN: &str = "net.core.somaxconn";
const RANGE: &str = "net.ipv4.ip_local_port_range";
const RESERVED: &str = "net.ipv4.ip_local_reserved_ports";
const TIMEOUT: &str = "net.ipv4.tcp_fin_timeout";
/// Which the kernel refuses above `ip_local_port_range`, whatever the catalogue says.
const UNPRIVILEGED: &str = "net.ipv4.ip_unprivileged_port_start";

/// A directory for a drop-in.
struct Etc(TempDir);

impl Etc {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn file(&self) -> PathBuf {
        self.path().join("60-netkit.conf")
    }

    /// `netkit sysctl WORDS --file` with the drop-in of this directory.
    fn sysctl(&self, words: &str) -> Answer {
        netkit(&format!("sysctl {words}")).arg("--file").arg(self.file()).run()
    }

    /// Each `KEY=VALUE` as a setting of one `apply --write`.
    fn apply(&self, settings: &[&str]) -> Answer {
        let mut run = netkit("sysctl apply --write --file").arg(self.file());
        for setting in settings {
            run = run.arg("--set").arg(setting);
        }
        run.run()
    }

    fn text(&self) -> String {
        fs::read_to_string(self.file()).unwrap()
    }

    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.path()).unwrap();
        let mut names: Vec<_> =
            entries.map(|it| it.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[track_caller]
    fn is_empty(&self) {
        assert_eq!(self.names(), [""; 0]);
    }
}

/// The value of `key` as /proc has it, but for the line's end.
fn running(key: &str) -> String {
    fs::read_to_string(sysctl::file(key)).unwrap().trim_end_matches('\n').to_owned()
}

#[track_caller]
fn runs(settings: &[(&str, &str)]) {
    for (key, value) in settings {
        assert_eq!(running(key), *value, "{key}");
    }
}

const DEFAULTS: [(&str, &str); 4] =
    [(SOMAXCONN, "4096"), (RANGE, "32768\t60999"), (RESERVED, ""), (TIMEOUT, "60")];

#[test]
fn without_write_nothing_is_touched() {
    live(&[], || {
        let etc = Etc::new();
        sysctl::write(SOMAXCONN, "128");
        let answer = etc.sysctl("apply --set net.core.somaxconn=4096 --set net.ipv4.tcp_sack=1");
        let file = etc.file();
        let file = file.display();
        let expected = format!(
            "--- /dev/null
+++ {file}
@@ -0,0 +1,6 @@
+# netkit sysctl apply wrote this file, and leaves it alone once it is edited;
+# netkit sysctl undo takes the last apply back
+
+net.core.somaxconn = 4096
+
+net.ipv4.tcp_sack = 1

Running values
-net.core.somaxconn = 128
+net.core.somaxconn = 4096
 net.ipv4.tcp_sack = 1

nothing was written: --write does it
"
        );
        let warning = format!(
            "netkit: warning: this is not the machine's first network namespace: at boot the drop-in is \
             set in that one, and not here\n\
             netkit: warning: {file} is read by nothing at boot: give a name in /etc/sysctl.d that \
             ends in .conf\n"
        );
        answer.is(0, &expected, &warning);
        etc.is_empty();
        runs(&[(SOMAXCONN, "128")]);
    });
}

#[test]
fn what_is_written_is_undone_exactly() {
    live(&[], || {
        let etc = Etc::new();
        sysctl::write(SOMAXCONN, "128");
        let before = [(SOMAXCONN, "128"), (RANGE, "32768\t60999"), (RESERVED, ""), (TIMEOUT, "60")];
        runs(&before);
        let settings = [
            "net.core.somaxconn=0x1000",
            "net/ipv4/ip_local_port_range=1024\t65535",
            "net.ipv4.ip_local_reserved_ports=8080,9000-9010",
            "net.ipv4.tcp_fin_timeout=30",
        ];
        etc.apply(&settings).exits(0);
        let after = [
            (SOMAXCONN, "4096"),
            (RANGE, "1024\t65535"),
            (RESERVED, "8080,9000-9010"),
            (TIMEOUT, "30"),
        ];
        runs(&after);
        let text = etc.text();
        assert!(text.contains("\nnet.ipv4.ip_local_port_range = 1024 65535\n"), "{text}");
        assert_eq!(etc.names(), ["60-netkit.conf", "60-netkit.conf.saved"]);
        let mode = fs::metadata(etc.file()).unwrap().permissions().mode();
        assert_eq!(mode & 0o7777, 0o644);

        let again = etc.apply(&settings).exits(0);
        assert!(again.stdout.ends_with("nothing to change: all of it is so\n"), "{again}");

        let shown = etc.sysctl("undo").exits(0);
        assert!(shown.stdout.contains("-net.ipv4.tcp_fin_timeout = 30\n+net.ipv4.tcp_fin"));
        assert!(shown.stdout.ends_with("nothing was written: --write does it\n"), "{shown}");
        runs(&after);

        etc.sysctl("undo --write").exits(0).quietly();
        runs(&before);
        etc.is_empty();
        etc.sysctl("undo --write").exits(2).complains("there is nothing to undo");
    });
}

#[test]
fn each_undo_takes_one_apply_back() {
    live(&[], || {
        let etc = Etc::new();
        etc.apply(&["net.core.somaxconn=5000"]).exits(0);
        let first = etc.text();
        etc.apply(&["net.ipv4.tcp_fin_timeout=30"]).exits(0);
        etc.sysctl("undo --write").exits(0);
        runs(&[(SOMAXCONN, "5000"), (TIMEOUT, "60")]);
        assert_eq!(etc.text(), first);
        etc.sysctl("undo --write").exits(0);
        runs(&DEFAULTS);
        etc.is_empty();
    });
}

#[test]
fn settings_of_an_earlier_apply_stay_unless_they_are_set_otherwise() {
    live(&[], || {
        let etc = Etc::new();
        etc.sysctl("apply --write --profile server --set net.ipv4.tcp_fin_timeout=30").exits(0);
        let first = etc.text();
        let settings = |text: &str| {
            let lines = text.lines().filter(|line| line.contains('=') && !line.starts_with('#'));
            lines.map(str::to_owned).collect::<Vec<_>>()
        };
        let line = "apply --set net.ipv4.tcp_fin_timeout=20 --set net.ipv4.tcp_sack=1";
        let shown = etc.sysctl(line).exits(0);
        let file = etc.file();
        let expected = format!(
            "--- {0}\n+++ {0}\n@@ -13,4 +13,6 @@\n # profile server: PAWS and tcp_tw_reuse need \
             timestamps\n net.ipv4.tcp_timestamps = 1\n \n-net.ipv4.tcp_fin_timeout = 30\n\
             +net.ipv4.tcp_fin_timeout = 20\n+\n+net.ipv4.tcp_sack = 1\n\nRunning values\n",
            file.display()
        );
        assert!(shown.stdout.starts_with(&expected), "EXPECTED {expected}\n{shown}");
        let colour = etc.sysctl(&format!("{line} --color always")).exits(0).stdout;
        assert!(colour.contains("\u{1b}[31m-net.ipv4.tcp_fin_timeout = 30\u{1b}[0m\n"), "{colour}");
        etc.sysctl(&format!("{line} --write")).exits(0);
        let mut both = settings(&first);
        *both.iter_mut().find(|line| line.contains("fin_timeout")).unwrap() =
            "net.ipv4.tcp_fin_timeout = 20".to_owned();
        both.push("net.ipv4.tcp_sack = 1".to_owned());
        assert_eq!(settings(&etc.text()), both);
        // What is to go is said to: the file has these settings alone.
        etc.sysctl(&format!("{line} --write --overwrite")).exits(0);
        assert_eq!(settings(&etc.text()), both[both.len() - 2..]);
        for _ in 0..2 {
            etc.sysctl("undo --write").exits(0);
        }
        assert_eq!(etc.text(), first);
        runs(&[(TIMEOUT, "30")]);
    });
}

/// The example of the docs.
#[test]
fn what_is_shown_is_a_diff_of_the_file_and_of_what_runs() {
    live(&[], || {
        let etc = Etc::new();
        etc.sysctl("apply --write --profile server").exits(0);
        let shown = etc.sysctl("apply --profile server --set net.core.somaxconn=8192").exits(0);
        let named = etc.file().display().to_string();
        let shown = shown.stdout.replace(&named, "/etc/sysctl.d/60-netkit.conf");
        let docs = fs::read_to_string(in_repository("docs/sysctl.md")).unwrap();
        assert!(docs.contains(&format!("```text\n{shown}```")), "{shown}");
    });
}

#[test]
fn an_edit_by_hand_is_shown_refused_and_never_lost() {
    live(&[], || {
        let etc = Etc::new();
        etc.apply(&["net.core.somaxconn=5000"]).exits(0);
        let written = etc.text();
        // With a line's end and a mark that are easily lost.
        let edited = written.replace("= 5000", "= 6000 ") + "# by hand\r\n\u{e9}";
        fs::write(etc.file(), &edited).unwrap();
        let names = etc.names();
        for words in ["apply", "apply --write", "apply --write --force"] {
            let refused =
                etc.sysctl(&format!("{words} --set net.ipv4.tcp_fin_timeout=30")).exits(2);
            let refused =
                refused.complains("is left as it is: it was edited since netkit wrote it");
            let refused =
                refused.complains("\n-net.core.somaxconn = 5000\n+net.core.somaxconn = 6000 \n");
            refused.complains("hint: --overwrite replaces it, and undo brings it back");
            assert_eq!((etc.text(), etc.names()), (edited.clone(), names.clone()));
            runs(&[(SOMAXCONN, "5000"), (TIMEOUT, "60")]);
        }
        let line = "apply --write --overwrite --set net.ipv4.tcp_fin_timeout=30";
        etc.sysctl(line).exits(0);
        assert!(!etc.text().contains("by hand"), "{}", etc.text());
        runs(&[(TIMEOUT, "30")]);
        etc.sysctl("undo --write").exits(0);
        assert_eq!(etc.text(), edited, "byte for byte");
        runs(&[(SOMAXCONN, "5000"), (TIMEOUT, "60")]);
        // Nor does a second undo take the edit away without a word.
        etc.sysctl("undo --write").exits(2).complains("somebody has changed it since");
        let forced = etc.sysctl("undo --write --force").exits(0);
        forced.complains("what somebody had changed in the drop-in is kept in ");
        assert_eq!(fs::read_to_string(etc.path().join("60-netkit.conf.edited")).unwrap(), edited);
        assert_eq!(etc.names(), ["60-netkit.conf.edited"]);
        runs(&DEFAULTS);
    });
}

#[test]
fn an_edit_that_is_kept_is_not_written_over() {
    live(&[Need::Mount], || {
        let etc = Etc::new();
        let kept = etc.path().join("60-netkit.conf.edited");
        etc.apply(&["net.core.somaxconn=5000"]).exits(0);
        fs::write(etc.file(), "net.core.somaxconn = 6000\n").unwrap();
        fs::write(&kept, "mine\n").unwrap();
        etc.sysctl("undo --write --force").exits(2).complains("hint: move it away");
        assert_eq!(fs::read_to_string(&kept).unwrap(), "mine\n");
        fs::remove_file(&kept).unwrap();
        // Where nothing comes of it, nothing is kept either.
        let file = etc.file();
        run(&format!("mount --bind {0} {0}", file.display()));
        etc.sysctl("undo --write --force").exits(3).complains("nothing was changed");
        assert_eq!(etc.names(), ["60-netkit.conf", "60-netkit.conf.saved"]);
        run(&format!("umount {}", file.display()));
        runs(&[(SOMAXCONN, "5000")]);
    });
}

#[test]
fn what_somebody_has_changed_since_is_said() {
    live(&[], || {
        let etc = Etc::new();
        etc.apply(&["net.core.somaxconn=5000"]).exits(0);
        sysctl::write(SOMAXCONN, "6000");
        etc.sysctl("undo --write").exits(0).complains("net.core.somaxconn is 6000");
        runs(&DEFAULTS);
        etc.is_empty();
    });
}

#[test]
fn what_would_not_go_with_the_rest_is_said_or_refused() {
    live(&[], || {
        let etc = Etc::new();
        let listener = std::net::TcpListener::bind("127.0.0.1:20080").unwrap();
        let other = std::net::TcpListener::bind("127.0.0.1:40001").unwrap();
        let wide = etc.sysctl("apply --profile client-heavy").exits(0);
        let wide = wide.complains("something listens on 20080, 40001, which connect() may pick");
        let cure = "--set net.ipv4.ip_local_reserved_ports=20080,40001";
        wide.complains(cure);
        let cured = etc.sysctl(&format!("apply --profile client-heavy {cure}")).exits(0);
        assert!(!cured.stderr.contains("something listens"), "{cured}");
        // What is so without it is not its doing.
        let unrelated = etc.sysctl("apply --set net.ipv4.tcp_fin_timeout=30").exits(0);
        assert!(!unrelated.stderr.contains("something listens"), "{unrelated}");
        drop((listener, other));

        sysctl::set("tcp_timestamps", "0");
        let apart = etc.sysctl("apply --set net.ipv4.tcp_tw_reuse=1").exits(0);
        assert!(!apart.stderr.contains("without timestamps"), "2 is as much in vain: {apart}");
        sysctl::set("tcp_tw_reuse", "0");
        let apart = etc.sysctl("apply --set net.ipv4.tcp_tw_reuse=1").exits(0);
        apart.complains("without timestamps nothing is reused");
        let both = "apply --set net.ipv4.tcp_tw_reuse=1 --set net.ipv4.tcp_timestamps=1";
        let both = etc.sysctl(both).exits(0);
        assert!(!both.stderr.contains("without timestamps"), "{both}");
    });
}

#[test]
fn a_value_that_the_kernel_refuses_takes_the_others_with_it() {
    live(&[], || {
        let etc = Etc::new();
        let refused = format!("{UNPRIVILEGED}=40000");
        let settings = ["net.core.somaxconn=5000", "net.ipv4.tcp_fin_timeout=30", &refused];
        let answer = etc.apply(&[&settings[..], &["net.ipv4.tcp_sack=1"]].concat()).exits(2);
        let answer = answer.complains("net.ipv4.ip_unprivileged_port_start = 40000: cannot write");
        let answer = answer.complains("EINVAL (Invalid argument); nothing was changed");
        answer.complains("2 values written before it put back");
        runs(&DEFAULTS);
        runs(&[(UNPRIVILEGED, "1024")]);
        etc.is_empty();

        etc.apply(&["net.core.somaxconn=5000"]).exits(0);
        let (text, names) = (etc.text(), etc.names());
        etc.apply(&["net.core.somaxconn=6000", &refused]).exits(2);
        runs(&[(SOMAXCONN, "5000")]);
        assert_eq!((etc.text(), etc.names()), (text, names));
        etc.sysctl("undo --write").exits(0);
        runs(&DEFAULTS);
    });
}

#[test]
fn a_read_only_proc_sys_changes_nothing() {
    live(&[Need::Mount], || {
        let etc = Etc::new();
        run("mount --bind /proc/sys /proc/sys");
        run("mount -o remount,bind,ro /proc/sys");
        let answer = etc.apply(&["net.core.somaxconn=5000", "net.ipv4.tcp_fin_timeout=30"]);
        let answer = answer.exits(3).complains("net.core.somaxconn = 5000: cannot write");
        let answer = answer.complains("EROFS").complains("nothing was changed");
        answer.complains("hint: changing sysctls takes root");
        runs(&DEFAULTS);
        etc.is_empty();
    });
}

#[test]
fn a_user_without_rights_changes_nothing() {
    live(&[Need::Root, Need::Setpriv], || {
        let etc = Etc::new();
        let nobody = Nobody::new();
        let line = "sysctl apply --write --set net.core.somaxconn=5000 --file";
        let apply = || nobody.netkit(line).arg(etc.file()).run();
        apply().exits(3).complains("EACCES").complains("60-netkit.conf.saved");
        etc.is_empty();
        // Where he may write files, the settings are not his.
        std::os::unix::fs::chown(etc.path(), Some(UID), Some(UID)).unwrap();
        let answer = apply().exits(3).complains("net.core.somaxconn = 5000: cannot write");
        answer.complains("EACCES").complains("nothing was changed");
        etc.is_empty();
        runs(&DEFAULTS);
        let shown = "sysctl apply --set net.core.somaxconn=5000 --file";
        nobody.netkit(shown).arg(etc.file()).run().exits(0);
    });
}

#[test]
fn where_the_drop_in_cannot_be_written_the_values_are_put_back() {
    live(&[Need::Mount], || {
        let etc = Etc::new();
        etc.apply(&["net.core.somaxconn=5000"]).exits(0);
        let saved = etc.path().join("60-netkit.conf.saved");
        let before = (etc.text(), fs::read_to_string(&saved).unwrap(), etc.names());
        // Nothing can take the name of a mount point; the values and what is saved can be written.
        let file = etc.file();
        run(&format!("mount --bind {0} {0}", file.display()));
        let answer = etc.apply(&["net.core.somaxconn=6000", "net.ipv4.tcp_fin_timeout=30"]);
        answer.exits(3).complains("EBUSY").complains("nothing was changed");
        runs(&[(SOMAXCONN, "5000"), (TIMEOUT, "60")]);
        assert_eq!((etc.text(), fs::read_to_string(&saved).unwrap(), etc.names()), before);
        etc.sysctl("undo --write").exits(3).complains("EBUSY").complains("nothing was changed");
        runs(&[(SOMAXCONN, "5000")]);
        run(&format!("umount {}", file.display()));
        etc.sysctl("undo --write").exits(0);
        runs(&DEFAULTS);
        etc.is_empty();
    });
}

#[test]
fn dead_keys_and_dangerous_values_take_force() {
    live(&[], || {
        let etc = Etc::new();
        for (setting, why) in [
            ("net.ipv4.tcp_tw_recycle=1", "since Linux 4.12"),
            ("net.ipv4.tcp_fack=1", "4.15"),
            ("net.ipv4.tcp_max_tw_buckets=0", "TIME_WAIT at all"),
            ("net.ipv4.tcp_max_tw_buckets=-1", "no limit"),
            ("net.ipv4.tcp_max_tw_buckets=5000", "below the"),
            ("net.ipv4.tcp_timestamps=0", "tcp_tw_reuse"),
            ("net.ipv4.tcp_fin_timeout=70", "2 x (value - 60)"),
            ("net.ipv4.tcp_fin_timeout=0", "FIN_WAIT"),
            ("net.ipv4.tcp_syncookies=0", "SYN flood"),
            ("net.ipv4.conf.all.rp_filter=1", "does not know"),
        ] {
            let refused = etc.apply(&["net.core.somaxconn=5000", setting]).exits(2);
            let refused = refused.complains(why).complains("hint: --force sets it nonetheless");
            assert!(refused.stdout.ends_with("nothing was written\n"), "{refused}");
            runs(&DEFAULTS);
            etc.is_empty();
        }
        let forced = "apply --write --force --set net.ipv4.tcp_tw_recycle=1 \
                      --set net.ipv4.tcp_fin_timeout=70";
        etc.sysctl(forced).exits(0).complains("warning: forced: net.ipv4.tcp_tw_recycle: ");
        runs(&[(TIMEOUT, "70")]);
        assert!(etc.text().contains("\nnet.ipv4.tcp_tw_recycle = 1\n"));
        etc.sysctl("undo --write").exits(0);
        runs(&DEFAULTS);
        etc.is_empty();
    });
}

#[test]
fn what_cannot_be_is_refused_before_anything_is_touched() {
    live(&[], || {
        let etc = Etc::new();
        for (setting, why) in [
            ("net/../../x=1", "it leaves /proc/sys"),
            ("/etc/passwd=1", "is not a key"),
            ("net.core.somaxconn=1\nkernel.x=2", "control characters"),
            ("net.core.somaxconn>=1", "names no value"),
            ("net.core.somaxcon=1", "there is no such key"),
            ("net.core.somaxconn=many", "`many` is not a number"),
            ("net.ipv4.tcp_tw_reuse=3", "3 is not from 0 to 2"),
            ("net.ipv4.ip_local_port_range=1024", "two ports"),
            ("net.ipv4.tcp_fin_timeout=30 # why", "`# why`: leave it out"),
            ("net.ipv4.conf.*.tag=1", "no name of one key"),
        ] {
            for force in [false, true] {
                let mut run = netkit("sysctl apply --write --set net.ipv4.tcp_retries2=9 --file");
                run = run.arg(etc.file()).arg("--set").arg(setting);
                run = if force { run.arg("--force") } else { run };
                let answer = run.run().exits(2).complains(why);
                assert!(!answer.stderr.contains("--force"), "{answer}");
                runs(&DEFAULTS);
                etc.is_empty();
            }
        }
        etc.apply(&["net.core.somaxconn=1", "net/core/somaxconn=2"]).exits(2).complains("twice");
        etc.sysctl("apply --write").exits(2).complains("--profile");
        etc.sysctl("apply --profile sevrer").exits(2).complains("server, client-heavy, container");
        let netns = etc.sysctl("apply --set net.core.somaxconn=5000 --netns 1");
        netns.exits(2).complains("--netns");
    });
}

#[test]
fn a_file_of_somebody_elses_is_left_as_it_is() {
    live(&[], || {
        let etc = Etc::new();
        let theirs = "net.core.somaxconn = 1\n";
        fs::write(etc.file(), theirs).unwrap();
        let foreign = etc.apply(&["net.core.somaxconn=5000"]).exits(2);
        foreign.complains("not written by netkit").complains("`--file PATH` names another");
        assert_eq!(etc.text(), theirs);
        etc.sysctl("apply --write --overwrite --set net.core.somaxconn=5000").exits(0);
        etc.sysctl("undo --write").exits(0);
        assert_eq!((etc.text().as_str(), etc.names().len()), (theirs, 1));
        // Bytes that could not be put back are not taken.
        fs::write(etc.file(), b"# \xff\n").unwrap();
        let line = "apply --write --overwrite --set net.core.somaxconn=5000";
        etc.sysctl(line).exits(2).complains("it is no text");
        assert_eq!(fs::read(etc.file()).unwrap(), b"# \xff\n");
        fs::remove_file(etc.file()).unwrap();

        symlink("/dev/null", etc.file()).unwrap();
        etc.apply(&["net.core.somaxconn=5000"]).exits(2).complains("no regular file");
        assert_eq!(fs::read_link(etc.file()).unwrap(), Path::new("/dev/null"));
        fs::remove_file(etc.file()).unwrap();

        fs::write(etc.path().join("60-netkit.conf.saved"), "mine").unwrap();
        etc.apply(&["net.core.somaxconn=5000"]).exits(2).complains("hint: move it away");
        etc.sysctl("undo --write").exits(2).complains("hint: move it away");
        assert_eq!(etc.names(), ["60-netkit.conf.saved"]);
        runs(&DEFAULTS);
    });
}

#[test]
fn below_a_root_there_is_the_file_alone() {
    live(&[], || {
        let image = Etc::new();
        let root = image.path();
        fs::set_permissions(root, Permissions::from_mode(0o755)).unwrap();
        let at_root = |words: &str| netkit(&format!("sysctl {words} --root")).arg(root).run();
        at_root("apply --profile server").exits(0).quietly();
        image.is_empty();
        at_root("apply --profile server --write").exits(0).quietly();
        runs(&DEFAULTS);
        let file = root.join("etc/sysctl.d/60-netkit.conf");
        let text = fs::read_to_string(&file).unwrap();
        assert!(text.contains("# profile server: ") && text.contains("somaxconn = 4096"), "{text}");
        let apart = "apply --set net.ipv4.tcp_tw_reuse=1 --force --set net.ipv4.tcp_timestamps=0";
        at_root(apart)
            .exits(0)
            .complains("after a boot: tcp_tw_reuse is on and tcp_timestamps off");

        fs::write(root.join("etc/sysctl.d/99-a.conf"), "net.core.somaxconn = 128\n").unwrap();
        let answer = at_root("apply --profile server").exits(0);
        answer.complains("/etc/sysctl.d/99-a.conf:1 has the last word");

        at_root("undo --write").exits(0);
        assert!(!file.exists());
        runs(&DEFAULTS);
        let nowhere = root.join("nowhere");
        let answer = netkit("sysctl apply --profile server --write --root");
        answer.arg(nowhere).run().exits(3).complains("ENOENT");
    });
}

#[test]
fn profiles_are_applied_and_what_is_better_already_is_kept() {
    live(&[], || {
        let etc = Etc::new();
        sysctl::write(SOMAXCONN, "8192");
        sysctl::write("net.ipv4.tcp_abort_on_overflow", "1");
        etc.sysctl("apply --profile server --set net.ipv4.tcp_fin_timeout=20 --write").exits(0);
        let changed =
            [(SOMAXCONN, "8192"), (TIMEOUT, "20"), ("net.ipv4.tcp_abort_on_overflow", "0")];
        runs(&changed);
        assert!(etc.text().contains("\nnet.core.somaxconn = 8192\n"), "{}", etc.text());

        let profile = etc.path().join("edge.toml");
        fs::write(
            &profile,
            "name = \"edge\"\n[[setting]]\nkey = \"net.core.somaxconn\"\nwant = \">=9000\"\n",
        )
        .unwrap();
        let edge = |etc: &Etc| {
            let run = netkit("sysctl apply --write --profile").arg(&profile).arg("--file");
            run.arg(etc.file()).run()
        };
        edge(&etc).exits(0);
        runs(&[(SOMAXCONN, "9000")]);
        fs::write(&profile, "name = \"edge\"\ncolour = 1\n").unwrap();
        edge(&etc).exits(2).complains("edge.toml:2: unknown field `colour`");
    });
}

#[test]
fn the_json_keeps_its_contract() {
    let schema = Schema::of("sysctl_apply");
    schema.is_complete();
    live(&[], || {
        let etc = Etc::new();
        let apply = |words: &str| etc.sysctl(&format!("apply --json {words}"));
        let shown = apply("--set net.core.somaxconn=5000").exits(0).quietly().json();
        let change = |running: &str, new: &str, file_before: Value| json!([{ "key": SOMAXCONN, "running": running, "new": new, "file_before": file_before }]);
        assert_eq!(shown["changes"], change("4096", "5000", Value::Null));
        assert_eq!(shown["written"], false);
        let written = apply("--set net.core.somaxconn=5000 --write").exits(0).json();
        assert_eq!((&written["written"], &written["content"]), (&json!(true), &shown["content"]));
        assert_eq!(written["content"], etc.text());
        assert_eq!(shown["content_before"], Value::Null);
        let twice = apply("--set net.core.somaxconn=6000").exits(0).json();
        assert_eq!(twice["changes"], change("5000", "6000", json!("5000")));
        let refused = apply("--set net.ipv4.tcp_tw_recycle=1 --write").exits(2).json();
        assert_eq!(refused["refused"][0]["can_be_forced"], true);
        assert_eq!(refused["content"], Value::Null);
        let undone = etc.sysctl("undo --json --write").exits(0).json();
        assert_eq!(undone["changes"], change("5000", "4096", json!("5000")));
        assert_eq!((&undone["written"], &undone["content"]), (&json!(true), &Value::Null));
        for answer in [&shown, &written, &twice, &refused, &undone] {
            Schema::of("sysctl_apply").holds(answer);
        }
        let line = etc.sysctl("apply --format ndjson --set net.core.somaxconn=5000").rows();
        Schema::of("sysctl_apply").holds(&line[0]);
        let csv = etc.sysctl("apply --format csv --set net.core.somaxconn=5000").stdout;
        assert_eq!(csv, "key,running,new,file_before\nnet.core.somaxconn,4096,5000,\n");
    });
}
