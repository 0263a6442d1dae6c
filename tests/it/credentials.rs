//! User names, passwords and tokens, with the servers' logs as the witness.

use std::fs;
use std::path::Path;

use crate::support::{Ran, Reply, Server, pagemill, run, temp_dir};

fn crawl(url: &str, more: &[&str]) -> Ran {
    let args = ["crawl", url, "-f", "t=//p", "-q", "--retry", "0"];
    run(&mut pagemill(args.iter().copied().chain(more.iter().copied())))
}

fn authorizations(server: &Server) -> Vec<String> {
    server.hits().iter().map(|hit| hit.header("authorization").unwrap_or("").to_owned()).collect()
}

/// A page that leads to another server and one there, reached by the name `localhost`.
fn home_and_away() -> (Server, Server) {
    let away = Server::start(|site| site.page("/", "<p>away"));
    let to = away.url("/").replace("127.0.0.1", "localhost");
    let home = Server::start(|site| {
        site.on("/", Reply::redirect(302, "/here"));
        site.on("/here", Reply::redirect(302, to));
    });
    (home, away)
}

/// base64 of `me:pa:ss`.
const ME: &str = "Basic bWU6cGE6c3M=";

#[test]
fn user_and_password_go_to_the_origin_of_the_url_only() {
    let (home, away) = home_and_away();
    assert_eq!(crawl(&home.url("/"), &["-u", "me:pa:ss", "-H", "X-Key: k"]).code, Some(0));
    assert_eq!(authorizations(&home), [ME, ME]);
    assert_eq!(authorizations(&away), [""]);
    assert_eq!(away.hits()[0].header("x-key"), None);
}

#[test]
fn a_token_goes_to_the_origin_of_the_url_only_and_may_come_from_the_environment() {
    let (home, away) = home_and_away();
    let args = ["crawl", &home.url("/"), "-f", "t=//p", "-q"];
    assert_eq!(run(pagemill(args).env("PAGEMILL_BEARER", "t0ken")).code, Some(0));
    assert_eq!(authorizations(&home), ["Bearer t0ken", "Bearer t0ken"]);
    assert_eq!(authorizations(&away), [""]);
}

#[test]
fn the_url_wins_over_the_flag_and_a_header_over_both() {
    let server = Server::start(|site| site.page("/", "<p>x"));
    let url = server.url("/").replace("://", "://url:1@");
    crawl(&url, &["-u", "me:pa:ss"]);
    crawl(&url, &["-u", "me:pa:ss", "-H", "Authorization: Own x"]);
    // base64 of `url:1`
    assert_eq!(authorizations(&server), ["Basic dXJsOjE=", "Own x"]);
}

#[test]
fn a_netrc_goes_by_the_host_that_is_asked() {
    let (home, away) = home_and_away();
    let folder = temp_dir();
    let path = folder.path().join(".netrc");
    fs::write(
        &path,
        "machine 127.0.0.1 login me password \"pa:ss\"\nmachine localhost login you password w\n",
    )
    .unwrap();
    assert_eq!(crawl(&home.url("/"), &["--netrc-file", path.to_str().unwrap()]).code, Some(0));
    assert_eq!(authorizations(&home), [ME, ME]);
    // base64 of `you:w`
    assert_eq!(authorizations(&away), ["Basic eW91Onc="]);

    let args = ["crawl", &home.url("/"), "-f", "t=//p", "-q", "--netrc"];
    assert_eq!(run(pagemill(args).env("HOME", folder.path())).code, Some(0));
    assert_eq!(authorizations(&home)[2..], [ME, ME]);
}

#[test]
fn the_default_of_a_netrc_does_not_follow_redirects() {
    let (home, away) = home_and_away();
    let folder = temp_dir();
    let path = folder.path().join("netrc");
    fs::write(&path, "default login me password pa:ss").unwrap();
    crawl(&home.url("/"), &["--netrc-file", path.to_str().unwrap()]);
    assert_eq!(authorizations(&home), [ME, ME]);
    assert_eq!(authorizations(&away), [""]);
}

#[test]
fn what_is_wrong_with_a_secret_is_told_without_it() {
    let folder = temp_dir();
    let bad = folder.path().join("netrc");
    fs::write(&bad, "machine h login me passwort m4rker").unwrap();
    let bad = bad.to_str().unwrap();
    for (args, told) in [
        (vec!["-u", "m4rker"], "--user: there is no `:`"),
        (vec!["-u", "me:m4rker\n"], "--user: user and password cannot have"),
        (vec!["--bearer", "m4rker m4rker"], "--bearer: a token has no blanks"),
        (vec!["-u", "me:m4rker", "--bearer", "m4rker"], "--user: cannot go with --bearer"),
        (vec!["-b", "m4rker"], "--cookie: a cookie is written"),
        (vec!["-H", "X-Key: m4rker\nX: y"], "--header: a header value cannot have"),
        (vec!["-H", "X Key: m4rker"], "--header: a header name cannot have"),
        (vec!["-H", "m4rker"], "--header: a header needs a `:`"),
        (vec!["--netrc-file", bad], "line 1: machine, default, login"),
        (vec!["--netrc-file", "/none"], "--netrc-file: /none: No such file"),
        (vec!["--netrc"], "--netrc: there is no HOME"),
    ] {
        let ran = crawl("http://me:m4rker@h.invalid/", &args);
        assert_eq!(ran.code, Some(2), "{args:?}");
        assert!(ran.stderr.contains(told), "{told}: {}", ran.stderr);
        assert!(!ran.stderr.contains("m4rker"), "{}", ran.stderr);
    }
    assert!(Path::new(bad).exists());
}
