//! The answers for people, whole, on captures: only the time that the looking took is left out.

use insta::assert_snapshot;

use crate::harness::{Capture, netkit};

fn text(capture: &Capture, options: &str, code: i32) -> String {
    let line = format!("states {options}");
    netkit(&line).procfs(capture.root()).run().exits(code).quietly().timeless()
}

/// A host that opens connections faster than it should.
fn client() -> Capture {
    Capture::new()
        .sysctl("ip_local_port_range", "40000\t40099")
        .sysctl("ip_local_reserved_ports", "40090-40099")
        .listen("0.0.0.0:22")
        .listen("127.0.0.1:40050")
        .socket("ESTABLISHED", "10.0.0.1:22", "10.0.0.9:51000")
        .time_waits("10.0.0.1", 40_000..40_049, "10.0.0.2:5432")
        .time_waits("10.0.0.1", 40_051..40_090, "10.0.0.2:5432")
        .socket("ESTABLISHED", "10.0.0.1:40049", "10.0.0.2:5432")
        .time_waits("10.0.0.1", 40_000..40_004, "10.0.0.3:80")
        .socket("CLOSE_WAIT", "10.0.0.1:40005", "10.0.0.3:80")
}

/// A host that many come to.
fn server() -> Capture {
    Capture::new()
        .listen("[::]:443")
        .time_waits("[fd00::1]", 443..444, "[fd00::9]:50000")
        .time_wait("[::ffff:10.0.0.1]:443", "[::ffff:10.0.0.9]:50000", 30_000)
        .time_wait("[::ffff:10.0.0.1]:443", "[::ffff:10.0.0.9]:50001", 20_000)
        .socket("ESTABLISHED", "[::ffff:10.0.0.1]:443", "[::ffff:10.0.0.9]:50002")
}

#[test]
fn the_states() {
    assert_snapshot!(text(&client(), "", 0), @r"
    97 TCP sockets in DIR (proc, T ms)

     STATE       SOCKETS SHARE            WHAT IT MEANS
     TIME_WAIT        92  95 % █████████▌ closed here first, kept 60 s
     ESTABLISHED       2   2 % ▎          open, data may flow
     LISTEN            2   2 % ▎          waiting for connections
     CLOSE_WAIT        1   1 % ▏          the peer closed, a program has not

    sockstat: 5 TCP sockets in use, 92 tw (TIME_WAIT, and FIN_WAIT2 of no program);
              0 orphans machine-wide
    `netkit states --time-wait` judges whether TIME_WAIT is a problem here
    ");
}

#[test]
fn the_states_of_nothing() {
    assert_snapshot!(text(&Capture::new(), "", 0), @r"
    0 TCP sockets in DIR (proc, T ms)

    sockstat: 0 TCP sockets in use, 0 tw (TIME_WAIT, and FIN_WAIT2 of no program); 0
              orphans machine-wide
    ");
}

#[test]
fn the_two_kinds_of_fin_wait2() {
    let capture = Capture::new()
        .fin_wait2_mini("10.0.0.1:40000", "10.0.0.2:80")
        .fin_wait2_mini("10.0.0.1:40001", "10.0.0.2:80")
        .socket("FIN_WAIT2", "10.0.0.1:40002", "10.0.0.2:80");
    assert_snapshot!(text(&capture, "", 0), @r"
    3 TCP sockets in DIR (proc, T ms)

     STATE          SOCKETS SHARE         WHAT IT MEANS
     FIN_WAIT2_MINI       2  67 % ██████▊ closed here, no program holds it
     FIN_WAIT2            1  33 % ███▍    closed here, a program still holds it

    sockstat: 1 TCP socket in use, 2 tw (TIME_WAIT, and FIN_WAIT2 of no program); 0
              orphans machine-wide
    ");
}

#[test]
fn the_verdict_on_a_client_that_has_run_out() {
    assert_snapshot!(text(&client(), "--time-wait", 1), @r#"
    CRITICAL  10.0.0.1 cannot open another connection to 10.0.0.2:5432: connect()
              fails with EADDRNOTAVAIL (99)

     FROM     TO            TIME_WAIT LIVE  USED LEFT RATE/S CEILING/S FULL IN
     10.0.0.1 10.0.0.2:5432        88    1 100 %    0    0.0       1.5 full now
     10.0.0.1 10.0.0.3:80           4    1   6 %   84    0.0       1.5 idle

    Evidence
      90 ephemeral ports (40000–40099), 10 reserved, 1 held by bind
      this side closed first: 88 of 88 to 10.0.0.2:5432
      ports come back after 60 s; tcp_tw_reuse = 2 covers loopback addresses only
      < 1 % (92) of tcp_max_tw_buckets (131,072) used; no overflow since boot
      ages 0 s [   ████████████▇▇▇] 60 s; 1.5/s averaged over 60 s

    What helps, in this order
      1  keep connections to 10.0.0.2:5432 open (a pool, keep-alive): 88 closed in
         the last minute, 1 open now
      2  let the server close first, so that TIME_WAIT is kept there
      3  widen net.ipv4.ip_local_port_range ("1024 65535" gives 64,512) and put the
         ports of your services into net.ipv4.ip_local_reserved_ports
      4  use more addresses: each further source address, destination address or
         port has its own ports (IP_BIND_ADDRESS_NO_PORT where 10.0.0.1 is bound)
      5  net.ipv4.tcp_tw_reuse = 1 (timestamps must be on at both ends): ports come
         back after 1 s instead of 60 s
    What does not
      net.ipv4.tcp_fin_timeout does not change TIME_WAIT, which is a fixed 60 s
      net.ipv4.tcp_tw_recycle no longer exists (removed in Linux 4.12)
      a lower net.ipv4.tcp_max_tw_buckets breaks connections instead of shortening
      TIME_WAIT
    "#);
}

#[test]
fn the_verdict_without_sysctls() {
    let capture = client();
    let root = capture.without(&["sys"]);
    let answer = netkit("states --time-wait").procfs(root).run().exits(3);
    assert_snapshot!(answer.timeless(), @r"
    UNKNOWN  the ephemeral ports could not be read, so there is no verdict on them

     FROM     TO            TIME_WAIT LIVE USED LEFT RATE/S CEILING/S FULL IN
     10.0.0.1 10.0.0.2:5432        88    1    ?    ?    0.0         ? ?
     10.0.0.1 10.0.0.3:80           4    1    ?    ?    0.0         ? ?

    Evidence
      net.ipv4.ip_local_port_range could not be read
      this side closed first: 88 of 88 to 10.0.0.2:5432
      ports come back after 60 s, unless tcp_tw_reuse is on: it could not be read
      ages 0 s [   ████████████▇▇▇] 60 s; 1.5/s averaged over 60 s
    ");
}

#[test]
fn the_verdict_on_a_server() {
    assert_snapshot!(text(&server(), "--time-wait", 0), @r"
    OK  3 sockets in TIME_WAIT, and none of them is in your way

    Evidence
      28,232 ephemeral ports (32768–60999), 0 reserved, 0 held by bind
      3 on the server side of [::]:443: no ports, for all share 443; 1 kB
      nobody is refused: a SYN replaces its TIME_WAIT; a restart needs SO_REUSEADDR
      < 1 % (3) of tcp_max_tw_buckets (131,072) used; no overflow since boot
      ages 0 s [   ███   ██████   ] 60 s; 0.1/s averaged over 60 s
    ");
}

#[test]
fn the_verdict_on_buckets() {
    let capture = server().sysctl("tcp_max_tw_buckets", "3").overflows(7);
    assert_snapshot!(text(&capture, "--time-wait", 1), @r"
    CRITICAL  3 of 3 TIME_WAIT buckets are used: sockets close without TIME_WAIT

    Evidence
      28,232 ephemeral ports (32768–60999), 0 reserved, 0 held by bind
      3 on the server side of [::]:443: no ports, for all share 443; 1 kB
      nobody is refused: a SYN replaces its TIME_WAIT; a restart needs SO_REUSEADDR
      100 % (3) of tcp_max_tw_buckets (3) used; 7 overflows since boot
      7 sockets closed without TIME_WAIT since boot
      ages 0 s [   ███   ██████   ] 60 s; 0.1/s averaged over 60 s

    What helps, in this order
      1  raise net.ipv4.tcp_max_tw_buckets to 131072: 34 MB in all if they are all
         used; TIME_WAIT protects the next connection from the last one's segments
    What does not
      net.ipv4.tcp_fin_timeout does not change TIME_WAIT, which is a fixed 60 s
      net.ipv4.tcp_tw_recycle no longer exists (removed in Linux 4.12)
      a lower net.ipv4.tcp_max_tw_buckets breaks connections instead of shortening
      TIME_WAIT
    ");
}

#[test]
fn the_groups() {
    assert_snapshot!(text(&client(), "--by state,remote --top 2", 0), @r"
    97 TCP sockets in DIR (proc, T ms)

     STATE     REMOTE        SOCKETS SHARE
     TIME_WAIT 10.0.0.2:5432      88  91 %
     TIME_WAIT 10.0.0.3:80         4   4 %

    4 more groups with 5 sockets not shown; `--top 0` shows all
    ");
}

#[test]
fn the_list() {
    assert_snapshot!(text(&server(), "--list", 0), @r"
    PROTO STATE       LOCAL                 REMOTE                RECV-Q SEND-Q TIMER           UID INODE
    tcp   LISTEN      [::]:443              [::]:*                0      -      -               1000 4000
    tcp   TIME_WAIT   [fd00::1]:443         [fd00::9]:50000       0      0      time_wait:50.0s - -
    tcp   TIME_WAIT   10.0.0.1:443          10.0.0.9:50000        0      0      time_wait:30.0s - -
    tcp   TIME_WAIT   10.0.0.1:443          10.0.0.9:50001        0      0      time_wait:20.0s - -
    tcp   ESTABLISHED 10.0.0.1:443          10.0.0.9:50002        0      0      -               1000 4001
    ");
}

#[test]
fn the_list_as_csv() {
    assert_snapshot!(text(&server(), "--list --format csv", 0), @r"
    protocol,family,state,local_address,local_port,remote_address,remote_port,v4_mapped,recv_queue,send_queue,timer,expires_ms,retransmits,uid,inode,interface,cookie
    tcp,ipv6,LISTEN,::,443,::,0,false,0,,,,,1000,4000,,
    tcp,ipv6,TIME_WAIT,fd00::1,443,fd00::9,50000,false,0,0,time_wait,50000,0,,,,
    tcp,ipv6,TIME_WAIT,10.0.0.1,443,10.0.0.9,50000,true,0,0,time_wait,30000,0,,,,
    tcp,ipv6,TIME_WAIT,10.0.0.1,443,10.0.0.9,50001,true,0,0,time_wait,20000,0,,,,
    tcp,ipv6,ESTABLISHED,10.0.0.1,443,10.0.0.9,50002,true,0,0,,,,1000,4001,,
    ");
}

#[test]
fn the_list_as_ndjson() {
    assert_snapshot!(text(&server(), "--state time-wait --format ndjson", 0), @r#"
    {"protocol":"tcp","family":"ipv6","state":"TIME_WAIT","local":{"address":"fd00::1","port":443},"remote":{"address":"fd00::9","port":50000},"v4_mapped":false,"recv_queue":0,"send_queue":0,"timer":{"kind":"time_wait","expires_ms":50000,"retransmits":0},"uid":null,"inode":null,"interface":null,"cookie":null}
    {"protocol":"tcp","family":"ipv6","state":"TIME_WAIT","local":{"address":"10.0.0.1","port":443},"remote":{"address":"10.0.0.9","port":50000},"v4_mapped":true,"recv_queue":0,"send_queue":0,"timer":{"kind":"time_wait","expires_ms":30000,"retransmits":0},"uid":null,"inode":null,"interface":null,"cookie":null}
    {"protocol":"tcp","family":"ipv6","state":"TIME_WAIT","local":{"address":"10.0.0.1","port":443},"remote":{"address":"10.0.0.9","port":50001},"v4_mapped":true,"recv_queue":0,"send_queue":0,"timer":{"kind":"time_wait","expires_ms":20000,"retransmits":0},"uid":null,"inode":null,"interface":null,"cookie":null}
    "#);
}

#[test]
fn the_verdict_as_csv() {
    assert_snapshot!(text(&client(), "--time-wait --format csv", 1), @r"
    source_address,destination_address,destination_port,time_wait,reusable,fin_wait2_mini,live,headroom,used_percent,rate_per_s,rate_60s_per_s,ceiling_per_s,hold_ms,exhaustion_s,closed_here_first,closed_there_first,severity
    10.0.0.1,10.0.0.2,5432,88,0,0,1,0,100.0,0.0,1.47,1.47,60000,0.0,88,0,critical
    10.0.0.1,10.0.0.3,80,4,0,0,1,84,5.62,0.0,0.07,1.47,60000,,4,1,ok
    ");
}
