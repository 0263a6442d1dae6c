//! The server: one thread at the door, one for each connection, all of them ended and joined by [`Shop::stop`].
//!
//! Threads end because their socket was shut, not because they look at a flag. Nothing is printed.

use std::io::{self, BufReader, Read};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle, Scope};
use std::time::Duration;

use super::connections::{Connections, Shut, Visit};
use super::request::{self, NoRequest, Request};
use super::response;
use super::routes::{Reply, answer};

/// A connection that sends or takes nothing for so long is ended.
const IDLE_LIMIT: Duration = Duration::from_secs(15);

/// How long a refused peer may take to finish what it was sending.
const LINGER_LIMIT: Duration = Duration::from_secs(1);

/// How much of it is read and thrown away, in bytes.
const LINGER_BYTES: u64 = 256 << 10;

/// How often [`Shop::wait`] asks whether it is done.
const WAIT_STEP: Duration = Duration::from_millis(100);

/// The pause after the system could not give a connection.
const DOOR_PAUSE: Duration = Duration::from_millis(10);

/// A page is rendered in a few frames; the usual 2 MB for each of hundreds of threads would only look alarming.
const STACK_BYTES: usize = 256 << 10;

/// The practice site while it is open. Dropping it closes it.
pub struct Shop {
    address: SocketAddr,
    inside: Arc<Inside>,
    door: Mutex<Option<JoinHandle<()>>>,
}

/// What the threads share.
struct Inside {
    origin: String,
    connections: Connections,
    hits: AtomicU64,
}

impl Shop {
    /// Opens the shop on this port of 127.0.0.1; 0 takes any free one.
    ///
    /// # Errors
    ///
    /// If the port is taken or not allowed, or if no thread can be had.
    pub fn start(port: u16) -> io::Result<Shop> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
        let address = listener.local_addr()?;
        let inside = Arc::new(Inside {
            origin: format!("http://{address}"),
            connections: Connections::new(),
            hits: AtomicU64::new(0),
        });
        let shared = Arc::clone(&inside);
        let door = thread::Builder::new().name("shop-door".into()).spawn(move || open(&listener, &shared))?;
        Ok(Shop { address, inside, door: Mutex::new(Some(door)) })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its URL without a slash at the end: `http://127.0.0.1:8000`.
    pub fn url(&self) -> String {
        self.inside.origin.clone()
    }

    /// How many requests were answered so far, refusals included.
    pub fn hits(&self) -> u64 {
        self.inside.hits.load(Ordering::Relaxed)
    }

    /// Blocks until `done` says so, which is asked ten times a second, or until another thread calls
    /// [`Shop::stop`]. The shop stays open when it was `done` that ended the wait.
    pub fn wait(&self, done: impl Fn() -> bool) {
        while !done() && !self.inside.connections.wait_closed(WAIT_STEP) {}
    }

    /// Closes the shop: ends all connections, also in the middle of a page, and returns when every thread has ended.
    /// Does nothing the second time.
    pub fn stop(&self) {
        self.inside.connections.close();
        let mut door = self.door.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(thread) = door.take() else { return };
        // The door sleeps in `accept`, which only a visitor ends.
        while TcpStream::connect_timeout(&self.address, LINGER_LIMIT).is_err() && !thread.is_finished() {
            thread::sleep(DOOR_PAUSE);
        }
        // A panic in there has been reported by the thread itself.
        let _ = thread.join();
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Takes connections until the shop is closed, then waits for their threads.
fn open(listener: &TcpListener, inside: &Inside) {
    thread::scope(|scope| {
        for stream in listener.incoming() {
            match stream {
                Ok(stream) => {
                    let stream = Arc::new(stream);
                    match inside.connections.enter(Arc::clone(&stream)) {
                        Ok(visit) => receive(scope, inside, visit),
                        Err(Shut::Full) => turn_away(inside, &stream),
                        Err(Shut::Closed) => return,
                    }
                }
                Err(_) if inside.connections.are_closed() => return,
                // No file descriptors left, most likely. Some other connection has to end first.
                Err(_) => thread::sleep(DOOR_PAUSE),
            }
        }
    });
}

/// Says 503. A fresh socket takes so little without blocking; should the peer's request arrive too late to be read,
/// it sees a reset instead, and both mean the same to it.
fn turn_away(inside: &Inside, mut stream: &TcpStream) {
    inside.hits.fetch_add(1, Ordering::Relaxed);
    let _ = response::write(&mut stream, &Request::refused(), &Reply::failure(503));
}

fn receive<'scope>(scope: &'scope Scope<'scope, '_>, inside: &'scope Inside, visit: Visit<'scope>) {
    let thread = thread::Builder::new().name("shop".into()).stack_size(STACK_BYTES);
    // Without a thread the visit is dropped and the connection with it: the peer tries again.
    let _ = thread.spawn_scoped(scope, move || {
        // A broken connection concerns its peer alone.
        let _ = serve(inside, &visit.stream);
    });
}

/// Answers the requests of one connection until it ends.
fn serve(inside: &Inside, stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(IDLE_LIMIT))?;
    stream.set_write_timeout(Some(IDLE_LIMIT))?;
    let mut reader = BufReader::with_capacity(2 << 10, stream);
    loop {
        let (request, reply) = match request::read(&mut reader) {
            Ok(request) => {
                let reply = match request.method.as_str() {
                    "GET" | "HEAD" => answer(&request.path, &inside.origin),
                    _ => Reply::failure(405),
                };
                (request, reply)
            }
            Err(NoRequest::Refused(status)) => (Request::refused(), Reply::failure(status)),
            Err(NoRequest::Gone) => return Ok(()),
        };
        inside.hits.fetch_add(1, Ordering::Relaxed);
        response::write(&mut &*stream, &request, &reply)?;
        if request.last {
            return linger(stream);
        }
    }
}

/// Ends a connection so that the peer can still read the reply: closing over unread bytes resets it (RFC 9112 9.6).
fn linger(mut stream: &TcpStream) -> io::Result<()> {
    stream.shutdown(Shutdown::Write)?;
    stream.set_read_timeout(Some(LINGER_LIMIT))?;
    io::copy(&mut Read::take(&mut stream, LINGER_BYTES), &mut io::sink())?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::mpsc;

    use super::*;

    /// Runs a test that could hang.
    fn within_a_minute(test: impl FnOnce() + Send + 'static) {
        let (ended, end) = mpsc::channel();
        let thread = thread::spawn(move || {
            test();
            let _ = ended.send(());
        });
        match end.recv_timeout(Duration::from_secs(60)) {
            Err(mpsc::RecvTimeoutError::Timeout) => panic!("hangs"),
            _ => thread.join().unwrap(),
        }
    }

    fn connect(shop: &Shop) -> TcpStream {
        TcpStream::connect(shop.address()).unwrap()
    }

    fn send(mut stream: &TcpStream, text: &[u8]) {
        stream.write_all(text).unwrap();
    }

    /// Reads one reply: its header, and as many bytes of body as it promises.
    fn receive_reply(reader: &mut BufReader<&TcpStream>) -> (String, String) {
        use std::io::BufRead;
        let mut header = String::new();
        while !header.ends_with("\r\n\r\n") {
            assert_ne!(reader.read_line(&mut header).unwrap(), 0, "the connection ended after {header:?}");
        }
        let length = header.lines().find_map(|line| line.strip_prefix("Content-Length: "));
        let mut body = vec![0; length.map_or(0, |n| n.parse().unwrap())];
        reader.read_exact(&mut body).unwrap();
        (header, String::from_utf8(body).unwrap())
    }

    fn everything(mut stream: &TcpStream) -> String {
        let mut all = String::new();
        stream.read_to_string(&mut all).unwrap();
        all
    }

    #[test]
    fn one_connection_serves_many_pages() {
        within_a_minute(|| {
            let shop = Shop::start(0).unwrap();
            let stream = connect(&shop);
            let mut reader = BufReader::new(&stream);
            for n in 1..=3 {
                send(&stream, format!("GET /book/{n} HTTP/1.1\r\nHost: h\r\n\r\n").as_bytes());
                let (header, body) = receive_reply(&mut reader);
                assert!(header.starts_with("HTTP/1.1 200 OK\r\n"));
                assert_eq!(body, answer(&format!("/book/{n}"), &shop.url()).body);
            }
            // Two at once, as a pipelining client sends them.
            send(
                &stream,
                &b"GET /page/1 HTTP/1.1\r\nHost: h\r\n\r\nGET /no HTTP/1.1\r\nHost: h\r\n\r\n".repeat(2),
            );
            for status in ["200", "404", "200", "404"] {
                assert!(receive_reply(&mut reader).0.starts_with(&format!("HTTP/1.1 {status} ")));
            }
            assert_eq!(shop.hits(), 7);
        });
    }

    #[test]
    fn robots_txt_over_the_wire_names_this_very_shop() {
        within_a_minute(|| {
            let shop = Shop::start(0).unwrap();
            let stream = connect(&shop);
            send(&stream, b"GET /robots.txt HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
            let port = shop.address().port();
            assert!(
                everything(&stream).contains(&format!("\nSitemap: http://127.0.0.1:{port}/sitemap.xml\n"))
            );
        });
    }

    #[test]
    fn garbage_gets_400_and_harms_nobody() {
        within_a_minute(|| {
            let shop = Shop::start(0).unwrap();
            let other = connect(&shop);
            for garbage in [
                &b"\x16\x03\x01\x02\x00\x01\n"[..],
                b"what?\r\n\r\n",
                b"GET / HTTP/1.1\r\n\r\n",
                b"\xff\xfe\n",
            ] {
                let stream = connect(&shop);
                send(&stream, garbage);
                assert!(everything(&stream).starts_with("HTTP/1.1 400 Bad Request\r\n"), "{garbage:?}");
            }
            let stream = connect(&shop);
            send(&stream, &[b'x'; 40_000]);
            assert!(everything(&stream).starts_with("HTTP/1.1 431 "));
            let stream = connect(&shop);
            send(&stream, b"POST /page/1 HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\na=b");
            let reply = everything(&stream);
            assert!(reply.starts_with("HTTP/1.1 405 ") && reply.contains("\r\nAllow: GET, HEAD\r\n"));
            send(&other, b"HEAD / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
            assert!(everything(&other).starts_with("HTTP/1.1 200 OK\r\n"));
        });
    }

    #[test]
    fn stopping_ends_idle_half_sent_and_unread_connections() {
        within_a_minute(|| {
            let shop = Shop::start(0).unwrap();
            let (idle, half, unread) = (connect(&shop), connect(&shop), connect(&shop));
            // One round trip on each, so that all are inside before the shop closes.
            for stream in [&idle, &half, &unread] {
                send(stream, b"GET / HTTP/1.1\r\nHost: h\r\n\r\n");
                receive_reply(&mut BufReader::new(stream));
            }
            send(&half, b"GET /page");
            // More than the socket buffers hold, so that the shop is stuck in a write.
            send(&unread, &b"GET /sitemap.xml HTTP/1.1\r\nHost: h\r\n\r\n".repeat(100));
            shop.stop();
            assert_eq!(everything(&idle), "");
            assert_eq!(
                Arc::strong_count(&shop.inside),
                1,
                "no thread is left, nor the listener, which the door owns"
            );
            shop.stop();
        });
    }

    #[test]
    fn waiting_ends_when_it_is_done_or_the_shop_is_stopped() {
        within_a_minute(|| {
            let shop = Shop::start(0).unwrap();
            shop.wait(|| true);
            thread::scope(|scope| {
                scope.spawn(|| shop.wait(|| false));
                shop.stop();
            });
        });
    }

    #[test]
    fn a_taken_port_is_an_error() {
        let shop = Shop::start(0).unwrap();
        assert_eq!(Shop::start(shop.address().port()).err().unwrap().kind(), io::ErrorKind::AddrInUse);
    }

    #[test]
    fn many_readers_at_once_all_get_their_pages() {
        within_a_minute(|| {
            let shop = Shop::start(0).unwrap();
            thread::scope(|scope| {
                for reader in 0..32 {
                    let shop = &shop;
                    scope.spawn(move || {
                        let stream = connect(shop);
                        let mut replies = BufReader::new(&stream);
                        for n in (1..=1000).skip(reader).step_by(97) {
                            send(&stream, format!("GET /book/{n} HTTP/1.1\r\nHost: h\r\n\r\n").as_bytes());
                            let path = format!("/book/{n}");
                            assert_eq!(receive_reply(&mut replies).1, answer(&path, &shop.url()).body);
                        }
                    });
                }
            });
        });
    }
}
