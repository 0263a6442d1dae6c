//! Through proxies of every kind, in turn, around those that fail. The proxy's own log is the witness.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;

use pagemill::fetch::{FetchPolicy, Fetcher, ProxyUrl};
use pagemill::model::PageError;

use super::{error, fetch, policy, request};
use crate::support::{Asked, LONG, Reply, ScriptedProxy, Server, pagemill, run, watchdog};

fn through(proxies: &[String]) -> FetchPolicy {
    FetchPolicy { proxies: proxies.iter().map(|url| ProxyUrl::parse(url).unwrap()).collect(), ..policy() }
}

fn asked(what: impl Into<String>, authorization: Option<&str>) -> Asked {
    Asked { what: what.into(), authorization: authorization.map(str::to_owned) }
}

/// An address where nobody listens any more.
fn nobody() -> String {
    format!("http://me:secret@{}", TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap())
}

/// A URL of the server by a name that only the proxy can look up.
fn by_name(server: &Server, path: &str) -> String {
    format!("http://shop.invalid:{}{path}", server.address().port())
}

#[test]
fn plain_http_asks_the_proxy_for_the_whole_url() {
    let server = Server::start(|site| site.page("/a", "found"));
    let proxy = ScriptedProxy::start();
    let url = by_name(&server, "/a?b=1");
    // `me:p@ss` in base64
    let page = fetch(through(&[proxy.url("http", "me:p%40ss@")]), &url).unwrap();
    assert_eq!((&page.body[..], page.exchange.peer), (&b"found"[..], None));
    assert_eq!(proxy.asked(), [asked(format!("GET {url}"), Some("Basic bWU6cEBzcw=="))]);
    assert_eq!(server.hits()[0].header("proxy-authorization"), None);
    assert_eq!(server.hits()[0].header("host"), Some(&url[7..url.len() - 6]));
}

#[test]
fn https_goes_through_a_tunnel_in_which_tls_is_spoken_with_the_server() {
    // The server speaks no TLS, which only shows inside of the tunnel.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").unwrap();
        let _ = stream.read(&mut [0; 4096]);
    });
    let proxy = ScriptedProxy::start();
    let error = error(through(&[proxy.url("http", "me:pw@")]), &format!("https://shop.invalid:{port}/"));
    assert!(matches!(&error, PageError::Tls(told) if told.contains("does not speak TLS")), "{error:?}");
    assert_eq!(proxy.asked(), [asked(format!("CONNECT shop.invalid:{port}"), Some("Basic bWU6cHc="))]);
    server.join().unwrap();
}

#[test]
fn socks_proxies_get_addresses_or_names() {
    let server = Server::start(|site| site.page("/", "found"));
    let port = server.address().port();
    let proxy = ScriptedProxy::start();
    assert_eq!(fetch(through(&[proxy.url("socks5h", "")]), &by_name(&server, "/")).unwrap().body, b"found");
    assert_eq!(fetch(through(&[proxy.url("socks5", "")]), &server.url("/")).unwrap().body, b"found");
    let expected = [format!("SOCKS5 shop.invalid:{port}"), format!("SOCKS5 127.0.0.1:{port}")];
    assert_eq!(proxy.asked(), expected.map(|what| asked(what, None)));
}

#[test]
fn a_socks_proxy_is_told_user_and_password() {
    let server = Server::start(|site| site.page("/", "found"));
    let proxy = ScriptedProxy::with_password();
    assert_eq!(
        fetch(through(&[proxy.url("socks5", "me:p%40ss@")]), &server.url("/")).unwrap().body,
        b"found"
    );
    assert_eq!(proxy.asked()[0].authorization.as_deref(), Some("me:p@ss"));
    let error = error(through(&[proxy.url("socks5", "")]), &server.url("/"));
    assert!(matches!(&error, PageError::Connect(told) if told.contains("auth")), "{error:?}");
}

#[test]
fn proxies_take_turns_and_each_gets_its_own_password_only() {
    let server = Server::start(|site| site.page("/", "found"));
    let proxies = [ScriptedProxy::start(), ScriptedProxy::start()];
    let policy = through(&[proxies[0].url("http", "a:1@"), proxies[1].url("http", "b:2@")]);
    let url = by_name(&server, "/");
    watchdog(LONG, move || {
        let fetcher = Fetcher::new(policy);
        for _ in 0..4 {
            assert_eq!(fetcher.fetch_through(request(&url)).unwrap().body, b"found");
        }
        for (proxy, authorization) in proxies.iter().zip(["Basic YTox", "Basic Yjoy"]) {
            assert_eq!(proxy.asked(), vec![asked(format!("GET {url}"), Some(authorization)); 2]);
        }
    });
}

#[test]
fn a_proxy_that_fails_is_left_out_and_costs_no_page() {
    let server = Server::start(|site| site.page("/", "found"));
    let bad = ScriptedProxy::refusing(407);
    let good = ScriptedProxy::start();
    let policy = through(&[bad.url("http", ""), nobody(), good.url("http", "")]);
    let url = by_name(&server, "/");
    watchdog(LONG, move || {
        let fetcher = Fetcher::new(policy);
        for _ in 0..3 {
            assert_eq!(fetcher.fetch_through(request(&url)).unwrap().body, b"found");
        }
        assert_eq!((bad.asked().len(), good.asked().len()), (1, 3));
    });
}

#[test]
fn with_no_proxy_left_the_page_fails_at_once_and_says_so_without_a_password() {
    let policy = through(&[nobody(), nobody()]);
    let told = watchdog(LONG, move || {
        let fetcher = Fetcher::new(policy);
        [(); 2].map(|()| fetcher.fetch_through(request("http://shop.invalid/")).unwrap_err().error)
    });
    assert!(matches!(&told[0], PageError::Connect(text) if text.contains("connection refused")), "{told:?}");
    assert!(
        matches!(&told[1], PageError::Connect(text) if text.contains("all 2 proxies failed")),
        "{told:?}"
    );
    assert!(!format!("{told:?}").contains("secret"));
}

#[test]
fn what_a_proxy_says_of_a_tunnel_is_told() {
    for (status, text) in [(407, "wants a user name and password (407)"), (502, "refused to connect (502)")] {
        let proxy = ScriptedProxy::refusing(status);
        let error = error(through(&[proxy.url("http", "")]), "https://shop.invalid/");
        assert!(matches!(&error, PageError::Connect(told) if told.contains(text)), "{error:?}");
        assert!(error.is_worth_a_retry());
    }
}

#[test]
fn a_status_of_the_server_is_not_the_proxys() {
    let server = Server::start(|site| site.on("/", Reply::status(502)));
    let proxy = ScriptedProxy::start();
    assert_eq!(error(through(&[proxy.url("http", "")]), &by_name(&server, "/")), PageError::Status(502));
    assert_eq!(proxy.asked().len(), 1);
}

#[test]
fn a_page_cannot_use_a_proxy_to_get_to_a_private_address() {
    for to in
        ["http://10.0.0.1/", "http://[::1]:9/", "http://metadata.google.internal/", "http://localhost:9/"]
    {
        let server = Server::start(|site| site.on("/", Reply::redirect(302, to)));
        let proxy = ScriptedProxy::start();
        for scheme in ["http", "socks5h"] {
            let policy = FetchPolicy { allow_private: false, ..through(&[proxy.url(scheme, "")]) };
            let error = error(policy, &by_name(&server, "/"));
            assert!(matches!(error, PageError::PrivateAddress(_)), "{to}: {error:?}");
        }
        assert_eq!(proxy.asked().len(), 2, "the pages themselves");
    }
}

#[test]
fn hosts_of_the_exceptions_are_asked_directly() {
    let server = Server::start(|site| site.page("/", "found"));
    let policy = FetchPolicy { no_proxy: Some("example.com,127.0.0.0/8".into()), ..through(&[nobody()]) };
    assert_eq!(fetch(policy, &server.url("/")).unwrap().body, b"found");
}

#[test]
fn the_environment_names_proxies_and_a_flag_turns_them_off() {
    let server = Server::start(|site| site.page("/", "<a>found</a>"));
    let proxy = ScriptedProxy::start();
    let crawl = |variables: &[(&str, &str)], flags: &[&str]| {
        let url = server.url("/");
        let mut command = pagemill(["crawl", &*url, "-f", "a=//a", "-q", "--retry", "0"]);
        run(command.args(flags).envs(variables.iter().copied())).stdout
    };
    let (good, bad) = (proxy.url("http", ""), nobody());
    let found = "{\"a\":\"found\"}\n";
    assert_eq!(crawl(&[("http_proxy", &good)], &[]), found);
    assert_eq!(crawl(&[("ALL_PROXY", &good), ("HTTPS_PROXY", &bad)], &[]), found);
    assert_eq!(proxy.asked().len(), 2);
    assert_eq!(crawl(&[("HTTP_PROXY", &bad)], &[]), "");
    assert_eq!(crawl(&[("HTTP_PROXY", &bad), ("NO_PROXY", "127.0.0.1")], &[]), found);
    assert_eq!(crawl(&[("HTTP_PROXY", &bad)], &["-x", ""]), found);
    assert_eq!(crawl(&[("HTTP_PROXY", &bad)], &["-x", &good]), found);
    assert_eq!(crawl(&[("HTTP_PROXY", &bad)], &["--no-proxy", "*"]), found);
}

#[test]
fn a_wrong_proxy_is_a_mistake_of_the_job_and_its_password_is_not_shown() {
    let folder = crate::support::temp_dir();
    let list = folder.path().join("proxies.txt");
    std::fs::write(&list, "# ours\nhttp://h:1\n\nftp://me:secret@h:1\n").unwrap();
    let list = list.display().to_string();
    for flags in [["-x", "me:secret@h:1/x"], ["--proxy-file", &list]] {
        let ran = run(pagemill(["crawl", "http://127.0.0.1:1/", "-f", "a=//a"]).args(flags));
        assert_eq!(ran.code, Some(2), "{}", ran.stderr);
        assert!(
            ran.stderr.contains("not the address of a proxy") && !ran.stderr.contains("secret"),
            "{}",
            ran.stderr
        );
    }
}
