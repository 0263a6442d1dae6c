//! A proxy that does what a test tells it: requests with a whole URL, tunnels (CONNECT), and SOCKS5.
//!
//! Connections to servers are real. Everything ends when the proxy is dropped.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

/// What a proxy was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Asked {
    /// `CONNECT h:443`, `GET http://h/`, `SOCKS5 127.0.0.1:80`, `SOCKS5 name:80`.
    pub(crate) what: String,
    /// `Proxy-Authorization`, or `user:password` of SOCKS.
    pub(crate) authorization: Option<String>,
}

#[derive(Default)]
struct Shared {
    asked: Mutex<Vec<Asked>>,
    streams: Mutex<Vec<TcpStream>>,
    ends: AtomicBool,
    /// Refuses with this status instead of serving.
    refusal: Option<u16>,
    /// Whether SOCKS clients must name themselves.
    wants_password: bool,
}

/// A running proxy on the loopback address.
pub(crate) struct ScriptedProxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    acceptor: Option<JoinHandle<()>>,
}

impl ScriptedProxy {
    /// One that lets everybody through.
    pub(crate) fn start() -> ScriptedProxy {
        ScriptedProxy::with(Shared::default())
    }

    /// One that answers every request and tunnel with this status.
    pub(crate) fn refusing(status: u16) -> ScriptedProxy {
        ScriptedProxy::with(Shared { refusal: Some(status), ..Shared::default() })
    }

    /// One that takes SOCKS5 with user and password only.
    pub(crate) fn with_password() -> ScriptedProxy {
        ScriptedProxy::with(Shared { wants_password: true, ..Shared::default() })
    }

    fn with(shared: Shared) -> ScriptedProxy {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let shared = Arc::new(shared);
        let acceptor = thread::spawn({
            let shared = Arc::clone(&shared);
            move || accept(&listener, &shared)
        });
        ScriptedProxy { address, shared, acceptor: Some(acceptor) }
    }

    /// `scheme://user@127.0.0.1:port`, with `user` such as `me:pw@` or empty.
    pub(crate) fn url(&self, scheme: &str, user: &str) -> String {
        format!("{scheme}://{user}{}", self.address)
    }

    /// What it was asked for, in order.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.shared.asked.lock().expect("no thread panics with the log").clone()
    }
}

impl Drop for ScriptedProxy {
    fn drop(&mut self) {
        self.shared.ends.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
        for stream in self.shared.streams.lock().expect("no thread panics with the list").drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
        let joined = self.acceptor.take().map(JoinHandle::join);
        assert!(thread::panicking() || matches!(joined, Some(Ok(()))), "a thread of the proxy panicked");
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    let mut threads = Vec::new();
    loop {
        let (stream, _) = listener.accept().expect("a listener accepts");
        if shared.ends.load(Ordering::SeqCst) {
            break;
        }
        let shared = Arc::clone(shared);
        threads.push(thread::spawn(move || {
            // Clients and servers go as they like.
            let _ = serve(&stream, &shared);
            let _ = stream.shutdown(Shutdown::Both);
        }));
    }
    for thread in threads {
        thread.join().expect("a connection does not panic");
    }
}

fn serve(stream: &TcpStream, shared: &Shared) -> io::Result<()> {
    remember(stream, shared)?;
    let mut first = [0];
    stream.peek(&mut first)?;
    if first == [5] { socks(stream, shared) } else { http(stream, shared) }
}

fn remember(stream: &TcpStream, shared: &Shared) -> io::Result<()> {
    shared.streams.lock().expect("no thread panics with the list").push(stream.try_clone()?);
    Ok(())
}

fn log(shared: &Shared, what: String, authorization: Option<String>) {
    shared.asked.lock().expect("no thread panics with the log").push(Asked { what, authorization });
}

fn http(mut stream: &TcpStream, shared: &Shared) -> io::Result<()> {
    let mut reader = BufReader::new(stream);
    loop {
        let (mut start, mut head, mut authorization) = (String::new(), String::new(), None);
        if reader.read_line(&mut start)? == 0 {
            return Ok(());
        }
        loop {
            let mut line = String::new();
            reader.read_line(&mut line)?;
            if line.trim().is_empty() {
                break;
            }
            match line.to_ascii_lowercase().starts_with("proxy-authorization:") {
                true => authorization = line.split_once(": ").map(|(_, value)| value.trim().to_owned()),
                false => head.push_str(&line),
            }
        }
        let words: Vec<_> = start.split_whitespace().collect();
        let [method, target, _] = words[..] else { return Ok(()) };
        log(shared, format!("{method} {target}"), authorization);
        if let Some(status) = shared.refusal {
            write!(stream, "HTTP/1.1 {status} Refused\r\nContent-Length: 0\r\n\r\n")?;
            continue;
        }
        if method == "CONNECT" {
            let server = connect(target, shared)?;
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n")?;
            return relay(stream, &server);
        }
        let rest = target.strip_prefix("http://").unwrap_or_default();
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let mut server = connect(authority, shared)?;
        write!(server, "{method} /{path} HTTP/1.1\r\n{head}\r\n")?;
        pass_reply_on(&server, stream)?;
    }
}

/// One reply with a length, so that the next request can be read.
fn pass_reply_on(server: &TcpStream, mut client: &TcpStream) -> io::Result<()> {
    let (mut reader, mut length) = (BufReader::new(server), 0);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        client.write_all(line.as_bytes())?;
        if let Some(value) = line.strip_prefix("Content-Length: ") {
            length = value.trim().parse().expect("a scripted server knows its length");
        }
        if line.trim().is_empty() {
            break;
        }
    }
    io::copy(&mut reader.take(length), &mut client)?;
    Ok(())
}

fn socks(mut stream: &TcpStream, shared: &Shared) -> io::Result<()> {
    let read = |count: usize| {
        let mut bytes = vec![0; count];
        (&mut &*stream).read_exact(&mut bytes).map(|()| bytes)
    };
    let methods = usize::from(read(2)?[1]);
    read(methods)?;
    let mut authorization = None;
    let answer = if shared.wants_password { 2 } else { 0 };
    (&mut &*stream).write_all(&[5, answer])?;
    if shared.wants_password {
        let user = usize::from(read(2)?[1]);
        let user = read(user)?;
        let password = usize::from(read(1)?[0]);
        let password = read(password)?;
        authorization = Some(String::from_utf8_lossy(&[&user[..], b":", &password].concat()).into_owned());
        (&mut &*stream).write_all(&[1, 0])?;
    }
    let host = match read(4)?[3] {
        1 => read(4)?.iter().map(u8::to_string).collect::<Vec<_>>().join("."),
        3 => {
            let length = usize::from(read(1)?[0]);
            String::from_utf8_lossy(&read(length)?).into_owned()
        }
        _ => return Ok(()),
    };
    let port = read(2)?;
    let target = format!("{host}:{}", u16::from_be_bytes([port[0], port[1]]));
    log(shared, format!("SOCKS5 {target}"), authorization);
    match connect(&target, shared) {
        Ok(server) => {
            stream.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0])?;
            relay(stream, &server)
        }
        Err(_) => stream.write_all(&[5, 5, 0, 1, 0, 0, 0, 0, 0, 0]),
    }
}

/// Names that are not there lead to this machine, so that a test sees who looks them up.
fn connect(target: &str, shared: &Shared) -> io::Result<TcpStream> {
    let port = target.rsplit(':').next().and_then(|port| port.parse().ok()).unwrap_or(80);
    let server = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    remember(&server, shared)?;
    Ok(server)
}

fn relay(client: &TcpStream, server: &TcpStream) -> io::Result<()> {
    thread::scope(|scope| {
        scope.spawn(|| {
            let _ = io::copy(&mut &*client, &mut &*server);
            let _ = server.shutdown(Shutdown::Both);
        });
        let copied = io::copy(&mut &*server, &mut &*client);
        let _ = client.shutdown(Shutdown::Both);
        copied.map(|_| ())
    })
}
