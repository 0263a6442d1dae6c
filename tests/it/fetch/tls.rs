//! Certificates good and bad, on both sides. All are made while the test runs.

use pagemill::fetch::{Authorities, FetchPolicy, Identity, NamedHosts, ProxyUrl};
use pagemill::model::PageError;

use super::{error, fetch, policy};
use crate::support::{
    Authority, Goodbye, Reply, ScriptedProxy, Server, Signed, TlsServer, pagemill, run, temp_dir,
};

const REPLY: &str = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nfound";
const HERE: &str = "127.0.0.1";

fn believing(authority: &Authority) -> FetchPolicy {
    FetchPolicy {
        authorities: Some(Authorities::from_pem(authority.pem().into_bytes()).unwrap()),
        ..policy()
    }
}

fn serve(signed: &Signed) -> TlsServer {
    TlsServer::start(signed, None, REPLY, Goodbye::Said)
}

#[track_caller]
fn is_tls_fault(error: &PageError, text: &str) {
    assert!(matches!(error, PageError::Tls(told) if told.contains(text)), "{error:?}");
    assert!(!error.is_worth_a_retry());
}

#[test]
fn the_authorities_of_the_user_are_believed_instead_of_the_known_ones() {
    let authority = Authority::new();
    let server = serve(&authority.sign(HERE, 2099));
    assert_eq!(fetch(believing(&authority), &server.url(HERE)).unwrap().body, b"found");
    is_tls_fault(&error(policy(), &server.url(HERE)), "not from a known authority");
    is_tls_fault(&error(believing(&Authority::new()), &server.url(HERE)), "not from a known authority");
    assert_eq!(server.end(), (3, 1));
}

#[test]
fn faults_of_certificates_are_told_and_not_tried_again() {
    let authority = Authority::new();
    for (signed, text) in [
        (authority.sign(HERE, 2001), "has expired"),
        (authority.sign("other.example", 2099), "for another host"),
        (self_signed(), "not from a known authority"),
    ] {
        let server = serve(&signed);
        is_tls_fault(&error(believing(&authority), &server.url(HERE)), text);
        assert_eq!(server.end(), (1, 0), "nothing was asked for");
    }
}

fn self_signed() -> Signed {
    let made = rcgen::generate_simple_self_signed([HERE.to_owned()]).unwrap();
    Signed { certificate: made.cert.pem(), key: made.signing_key.serialize_pem() }
}

#[test]
fn an_insecure_run_believes_everything() {
    for signed in [Authority::new().sign("other.example", 2001), self_signed()] {
        let server = serve(&signed);
        let policy = FetchPolicy { insecure: true, ..policy() };
        assert_eq!(fetch(policy, &server.url(HERE)).unwrap().body, b"found");
    }
}

#[test]
fn a_server_that_asks_for_a_certificate_gets_ours() {
    let (authority, clients) = (Authority::new(), Authority::new());
    let server = TlsServer::start(&authority.sign(HERE, 2099), Some(&clients), REPLY, Goodbye::Said);
    let ours = clients.sign("me", 2099);
    let identity = Identity::from_pem(ours.certificate.into_bytes(), ours.key.into_bytes()).unwrap();
    let with_ours = FetchPolicy { identity: Some(identity), ..believing(&authority) };
    assert_eq!(fetch(with_ours, &server.url(HERE)).unwrap().body, b"found");
    is_tls_fault(&error(believing(&authority), &server.url(HERE)), "wants a client certificate (--cert)");
    assert_eq!(server.end(), (2, 1));
}

#[test]
fn a_server_that_a_page_led_to_does_not_get_our_certificate() {
    let (authority, clients) = (Authority::new(), Authority::new());
    let server = TlsServer::start(&authority.sign(HERE, 2099), Some(&clients), REPLY, Goodbye::Said);
    let ours = clients.sign("me", 2099);
    let identity = Identity::from_pem(ours.certificate.into_bytes(), ours.key.into_bytes()).unwrap();
    let with_ours = FetchPolicy { identity: Some(identity), ..believing(&authority) };
    let home = Server::start(|site| site.on("/", Reply::redirect(302, server.url(HERE))));
    is_tls_fault(&error(with_ours.clone(), &home.url("/")), "wants a client certificate");
    assert_eq!(server.end(), (1, 0));

    let server = TlsServer::start(&authority.sign(HERE, 2099), Some(&clients), REPLY, Goodbye::Said);
    let home = Server::start(|site| site.on("/", Reply::redirect(302, server.url(HERE))));
    let named = [home.url("/"), server.url(HERE)].map(|url| url.parse().unwrap());
    let by_both = FetchPolicy { named_hosts: NamedHosts::of(&named), ..with_ours };
    assert_eq!(fetch(by_both, &home.url("/")).unwrap().body, b"found");
}

#[test]
fn a_body_without_a_length_must_end_with_a_goodbye() {
    let authority = Authority::new();
    let reply = "HTTP/1.1 200 OK\r\n\r\nhalf a page";
    for (goodbye, is_whole) in [(Goodbye::Said, true), (Goodbye::Unsaid, false)] {
        let server = TlsServer::start(&authority.sign(HERE, 2099), None, reply, goodbye);
        let page = fetch(believing(&authority), &server.url(HERE));
        assert_eq!(page.is_ok(), is_whole, "{page:?}");
        if let Err(failure) = page {
            assert!(matches!(failure.error, PageError::Broken(_)), "{:?}", failure.error);
        }
    }
    // With a length nothing is missing.
    let server = TlsServer::start(&authority.sign(HERE, 2099), None, REPLY, Goodbye::Unsaid);
    assert_eq!(fetch(believing(&authority), &server.url(HERE)).unwrap().body, b"found");
}

#[test]
fn the_certificate_is_checked_through_a_tunnel_too() {
    let authority = Authority::new();
    let server = serve(&authority.sign("shop.invalid", 2099));
    let proxy = ScriptedProxy::start();
    let through = |scheme: &str| FetchPolicy {
        proxies: vec![ProxyUrl::parse(&proxy.url(scheme, "")).unwrap()],
        ..believing(&authority)
    };
    for scheme in ["http", "socks5h"] {
        assert_eq!(fetch(through(scheme), &server.url("shop.invalid")).unwrap().body, b"found");
        is_tls_fault(&error(through(scheme), &server.url("other.invalid")), "for another host");
    }
    assert_eq!(proxy.asked().len(), 4);
}

#[test]
fn files_that_cannot_be_used_are_mistakes_of_the_job() {
    let folder = temp_dir();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let (one, other) = (self_signed(), self_signed());
    let (cert, key) = (file("cert.pem", &one.certificate), file("key.pem", &one.key));
    let (wrong, both) = (file("wrong.pem", &other.key), file("both.pem", &(one.certificate + &one.key)));
    let check = |flags: &[&str]| {
        let ran = run(pagemill(["check", "http://127.0.0.1:1/", "-f", "a=//a"]).args(flags));
        (ran.code, ran.stderr)
    };
    assert_eq!(check(&["--cacert", &cert, "--cert", &cert, "--key", &key]).0, Some(0));
    assert_eq!(check(&["--cert", &both]).0, Some(0));
    for (flags, text) in [
        (vec!["--cacert", &key], "there is no certificate in it"),
        (vec!["--cacert", "/nowhere.pem"], "cannot read it"),
        (vec!["--cert", &cert], "there is no private key in it"),
        (vec!["--cert", &cert, "--key", &wrong], "does not go with the certificate"),
        (vec!["--key", &key], "without --cert"),
    ] {
        let (code, told) = check(&flags);
        assert!(code == Some(2) && told.contains(text), "{flags:?}: {told}");
    }
}
