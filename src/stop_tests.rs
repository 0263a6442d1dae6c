//! Tests of [`crate::stop`]. They do not stand in that file because the model checker compiles it a second time, with
//! channels that only work inside a model.

use crate::stop::*;

#[test]
fn an_abort_is_also_a_request_and_is_not_taken_back() {
    let stop = Stop::new();
    assert!(!stop.is_requested());
    stop.abort();
    stop.request();
    assert!(stop.is_requested() && stop.is_aborted());
}

#[test]
fn every_change_knocks_and_knocks_do_not_pile_up() {
    let stop = Stop::new();
    stop.request();
    stop.abort();
    assert_eq!(stop.knocks().len(), 1);
}

#[test]
fn a_panic_requests_a_stop() {
    let stop = Stop::new();
    let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let _guard = StopOnPanic(&stop);
        std::panic::resume_unwind(Box::new("on purpose"));
    }));
    assert!(result.is_err() && stop.is_requested());
}
