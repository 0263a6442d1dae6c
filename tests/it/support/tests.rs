//! The tools of the tests do what they say.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::Command;
use std::thread;
use std::time::Duration;

use super::{Gate, LONG, Ran, Reply, Server, run_with_input, watchdog};

#[test]
fn a_server_that_was_never_called_fails_its_test() {
    let idle = Server::start(|site| site.page("/", ""));
    assert!(catch_unwind(AssertUnwindSafe(|| drop(idle))).is_err());
    drop(Server::start(|site| site.page("/", "")).may_be_idle());
}

#[test]
fn a_watchdog_ends_what_hangs_and_passes_on_what_panics() {
    // The thread stays behind; it ends with the process.
    let hangs = || {
        watchdog(Duration::from_millis(10), || {
            loop {
                thread::park();
            }
        })
    };
    assert!(catch_unwind(hangs).is_err());
    let panic = catch_unwind(|| watchdog(LONG, || panic!("the reason"))).unwrap_err();
    assert_eq!(panic.downcast_ref(), Some(&"the reason"));
    assert_eq!(watchdog(LONG, || 7), 7);
}

#[cfg(unix)]
#[test]
fn a_program_gets_its_input_and_is_read_to_its_end() {
    let mut command = Command::new("sh");
    let ran = run_with_input(command.args(["-c", "cat; echo no >&2; exit 3"]), b"in");
    assert_eq!(ran, Ran { code: Some(3), stdout: "in".into(), stderr: "no\n".into() });
}

#[test]
fn requests_behind_a_gate_wait_together() {
    let gate = Gate::new();
    let server = Server::start(|site| site.on("/", Reply::page("page").behind(&gate)));
    watchdog(LONG, move || {
        thread::scope(|scope| {
            for _ in 0..3 {
                let url = server.url("/");
                scope.spawn(move || crate::fetch::body(&url));
            }
            server.wait_for_hits(3);
            gate.open();
        });
        assert_eq!(server.peak(), 3);
    });
}
