//! An HTTP server that does what a test tells it, well or badly.
//!
//! One thread accepts, one serves each connection; all are joined when the server is dropped. They look at a flag
//! between short waits, so a client that never leaves does not keep them. A server that was never called fails its
//! test.

use std::cell::Cell;
use std::collections::HashMap;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::reply::{Ending, Reply};

/// How long a thread waits before it looks whether the server ends.
const MOMENT: Duration = Duration::from_millis(10);

/// A request as it arrived.
#[derive(Debug, Clone)]
pub(crate) struct Hit {
    /// `GET`.
    pub(crate) method: String,
    /// The path without the query.
    pub(crate) path: String,
    /// What follows the `?`.
    pub(crate) query: Option<String>,
    /// Header names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    /// Its body, as text.
    pub(crate) body: String,
    /// When its last byte had arrived.
    pub(crate) at: Instant,
    /// Which connection it came over, from 0.
    pub(crate) connection: usize,
    /// How often this path had been asked for before.
    pub(crate) earlier: usize,
}

impl Hit {
    /// The first header of this name.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

type Handler = Box<dyn Fn(&Hit) -> Reply + Send + Sync>;

/// The script: what is answered where. A path that is not in it is a 404.
#[derive(Default)]
pub(crate) struct Site {
    paths: HashMap<String, Handler>,
    all_else: Option<Handler>,
}

impl Site {
    /// A page of HTML.
    pub(crate) fn page(&mut self, path: &str, body: impl Into<Vec<u8>>) {
        self.on(path, Reply::page(body));
    }

    /// A response verbatim, then the connection is closed.
    pub(crate) fn bytes(&mut self, path: &str, response: impl Into<Vec<u8>>) {
        self.on(path, Reply::raw(response));
    }

    /// The same reply every time.
    pub(crate) fn on(&mut self, path: &str, reply: Reply) {
        self.compute(path, move |_| reply.clone());
    }

    /// The replies one after another; the last one for all later requests.
    pub(crate) fn in_turn(&mut self, path: &str, replies: impl Into<Vec<Reply>>) {
        let replies = replies.into();
        self.compute(path, move |hit| replies[hit.earlier.min(replies.len() - 1)].clone());
    }

    /// `bad` for the first `times` requests, then `good`.
    pub(crate) fn fails_first(&mut self, path: &str, times: usize, bad: Reply, good: Reply) {
        self.compute(path, move |hit| if hit.earlier < times { bad.clone() } else { good.clone() });
    }

    /// A reply made for each request.
    pub(crate) fn compute(&mut self, path: &str, handler: impl Fn(&Hit) -> Reply + Send + Sync + 'static) {
        self.paths.insert(path.to_owned(), Box::new(handler));
    }

    /// A reply made for each request to a path not named otherwise.
    pub(crate) fn handle(&mut self, handler: impl Fn(&Hit) -> Reply + Send + Sync + 'static) {
        self.all_else = Some(Box::new(handler));
    }

    fn reply(&self, hit: &Hit) -> Reply {
        match (self.paths.get(&hit.path), &self.all_else) {
            (Some(handler), _) | (None, Some(handler)) => handler(hit),
            (None, None) => Reply::status(404),
        }
    }
}

struct Shared {
    site: Site,
    hits: Mutex<Vec<Hit>>,
    connections: AtomicUsize,
    busy: AtomicUsize,
    peak: AtomicUsize,
    ends: AtomicBool,
}

/// A running server.
pub(crate) struct Server {
    address: SocketAddr,
    shared: Arc<Shared>,
    acceptor: Option<JoinHandle<()>>,
    may_be_idle: bool,
}

impl Server {
    /// Starts on a free port of the loopback address.
    pub(crate) fn start(script: impl FnOnce(&mut Site)) -> Server {
        let mut site = Site::default();
        script(&mut site);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let shared = Arc::new(Shared {
            site,
            hits: Mutex::default(),
            connections: AtomicUsize::new(0),
            busy: AtomicUsize::new(0),
            peak: AtomicUsize::new(0),
            ends: AtomicBool::new(false),
        });
        let acceptor = thread::spawn({
            let shared = Arc::clone(&shared);
            move || accept(&listener, &shared)
        });
        Server { address, shared, acceptor: Some(acceptor), may_be_idle: false }
    }

    /// The same server, which need not be called.
    #[must_use]
    pub(crate) fn may_be_idle(mut self) -> Server {
        self.may_be_idle = true;
        self
    }

    /// The URL of a path, which begins with `/`.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// `127.0.0.1:port`.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// All requests so far, in the order they arrived.
    pub(crate) fn hits(&self) -> Vec<Hit> {
        self.shared.hits.lock().expect("no thread panics with the log").clone()
    }

    /// The requests for one path.
    pub(crate) fn hits_of(&self, path: &str) -> Vec<Hit> {
        self.hits().into_iter().filter(|hit| hit.path == path).collect()
    }

    /// How many connections were opened.
    pub(crate) fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }

    /// The most requests that were under way at the same time.
    pub(crate) fn peak(&self) -> usize {
        self.shared.peak.load(Ordering::SeqCst)
    }

    /// Waits until `count` requests have arrived.
    ///
    /// # Panics
    ///
    /// If they have not within [`LONG`](super::LONG).
    pub(crate) fn wait_for_hits(&self, count: usize) {
        let end = Instant::now() + super::LONG;
        while self.hits().len() < count {
            assert!(Instant::now() < end, "only {} of {count} requests came", self.hits().len());
            thread::sleep(Duration::from_millis(1));
        }
    }

    /// Waits until no request has come for a while: the client is stuck.
    ///
    /// # Panics
    ///
    /// If they still come after [`LONG`](super::LONG).
    pub(crate) fn wait_for_silence(&self) {
        let end = Instant::now() + super::LONG;
        let mut before = 0;
        while before != self.hits().len() || before == 0 {
            assert!(Instant::now() < end, "requests still come");
            before = self.hits().len();
            thread::sleep(Duration::from_millis(700));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.ends.store(true, Ordering::SeqCst);
        // Wakes the acceptor.
        let _ = TcpStream::connect(self.address);
        let joined = self.acceptor.take().map(JoinHandle::join);
        if thread::panicking() {
            return;
        }
        assert!(matches!(joined, Some(Ok(()))), "a thread of the server panicked");
        assert!(self.may_be_idle || !self.hits().is_empty(), "the server was never called");
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    let mut threads = Vec::new();
    loop {
        let (stream, _) = listener.accept().expect("a listener accepts");
        if shared.ends.load(Ordering::SeqCst) {
            break;
        }
        let connection = shared.connections.fetch_add(1, Ordering::SeqCst);
        let shared = Arc::clone(shared);
        threads.push(thread::spawn(move || {
            // A client that goes away is no failure of the server's.
            let _ = serve(&stream, connection, &shared);
        }));
    }
    for thread in threads {
        thread.join().expect("a script does not panic");
    }
}

/// Answers the requests of one connection until someone closes it.
fn serve(stream: &TcpStream, connection: usize, shared: &Shared) -> io::Result<()> {
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(MOMENT))?;
    stream.set_write_timeout(Some(MOMENT))?;
    while let Some((head, length)) = peek_head(stream, shared)? {
        let body = body_length(&head);
        let (length, body) = match body {
            0 => (length, String::new()),
            body => {
                (&mut &*stream).read_exact(&mut vec![0; length])?;
                (0, read_body(stream, body, shared)?)
            }
        };
        let busy = shared.busy.fetch_add(1, Ordering::SeqCst) + 1;
        shared.peak.fetch_max(busy, Ordering::SeqCst);
        let hit = log(&head, body, connection, shared);
        let reply = shared.site.reply(&hit);
        // A socket that is closed with unread input resets its connection, so a reply that ends so leaves it unread.
        if reply.ending != Ending::Reset {
            (&mut &*stream).read_exact(&mut vec![0; length])?;
        }
        let is_busy = Cell::new(true);
        let done = || {
            if is_busy.replace(false) {
                shared.busy.fetch_sub(1, Ordering::SeqCst);
            }
        };
        let sent = send(stream, &reply, shared, done);
        done();
        sent?;
        match reply.ending {
            Ending::KeepAlive => {}
            Ending::Close | Ending::Reset => return Ok(()),
            Ending::Stall => {
                while peek(stream, &mut [0])?.is_none() && !shared.ends.load(Ordering::SeqCst) {}
                return Ok(());
            }
        }
    }
    Ok(())
}

/// The head of the next request and its length, left in the socket; `None` if there is none to come.
fn peek_head(stream: &TcpStream, shared: &Shared) -> io::Result<Option<(String, usize)>> {
    let mut buffer = vec![0; 64 << 10];
    while !shared.ends.load(Ordering::SeqCst) {
        let Some(seen) = peek(stream, &mut buffer)? else {
            continue;
        };
        if seen == 0 {
            return Ok(None);
        }
        if let Some(end) = buffer[..seen].windows(4).position(|four| four == b"\r\n\r\n") {
            return Ok(Some((String::from_utf8_lossy(&buffer[..end]).into_owned(), end + 4)));
        }
        // Part of a head is there; looking again at once would only turn in circles.
        thread::sleep(Duration::from_millis(1));
    }
    Ok(None)
}

/// How long the body behind this head is.
fn body_length(head: &str) -> usize {
    let value = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().to_owned())
    });
    value.map_or(0, |value| value.parse().expect("a length of a body is a number"))
}

fn read_body(mut stream: &TcpStream, length: usize, shared: &Shared) -> io::Result<String> {
    let mut body = vec![0; length];
    let mut read = 0;
    while read < length {
        if shared.ends.load(Ordering::SeqCst) {
            return Err(ErrorKind::Interrupted.into());
        }
        match stream.read(&mut body[read..]) {
            Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
            Ok(more) => read += more,
            Err(err)
                if matches!(
                    err.kind(),
                    ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted
                ) => {}
            Err(err) => return Err(err),
        }
    }
    Ok(String::from_utf8_lossy(&body).into_owned())
}

/// How many bytes wait in the socket; `None` if none came within a moment.
fn peek(stream: &TcpStream, buffer: &mut [u8]) -> io::Result<Option<usize>> {
    match stream.peek(buffer) {
        Ok(seen) => Ok(Some(seen)),
        Err(err)
            if matches!(err.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted) =>
        {
            Ok(None)
        }
        Err(err) => Err(err),
    }
}

fn log(head: &str, body: String, connection: usize, shared: &Shared) -> Hit {
    let mut lines = head.split("\r\n");
    let mut words = lines.next().unwrap_or_default().split(' ').map(str::to_owned);
    let method = words.next().unwrap_or_default();
    let target = words.next().unwrap_or_default();
    let (path, query) = match target.split_once('?') {
        Some((path, query)) => (path.to_owned(), Some(query.to_owned())),
        None => (target, None),
    };
    let headers = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let mut hits = shared.hits.lock().expect("no thread panics with the log");
    let earlier = hits.iter().filter(|hit| hit.path == path).count();
    let hit = Hit { method, path, query, headers, body, at: Instant::now(), connection, earlier };
    hits.push(hit.clone());
    hit
}

/// Sends a reply at its pace; ends early when the server does. Calls `done` before the last bytes.
fn send(stream: &TcpStream, reply: &Reply, shared: &Shared, done: impl FnOnce()) -> io::Result<()> {
    while let Some(gate) = &reply.gate {
        if gate.is_open_within(MOMENT) {
            break;
        }
        if shared.ends.load(Ordering::SeqCst) {
            return Err(ErrorKind::Interrupted.into());
        }
    }
    let bytes = reply.bytes();
    let (size, pause) = reply.pace.unwrap_or((bytes.len().max(1), Duration::ZERO));
    let mut pieces = bytes.chunks(size).peekable();
    while let Some(piece) = pieces.next() {
        if pieces.peek().is_none() {
            // Whoever has read the last byte may ask again before this thread comes to note that it is done.
            done();
            return write(stream, piece, shared);
        }
        write(stream, piece, shared)?;
        thread::sleep(pause);
    }
    Ok(())
}

fn write(mut stream: &TcpStream, bytes: &[u8], shared: &Shared) -> io::Result<()> {
    let mut rest = bytes;
    while !rest.is_empty() {
        if shared.ends.load(Ordering::SeqCst) {
            return Err(ErrorKind::Interrupted.into());
        }
        match stream.write(rest) {
            Ok(written) => rest = &rest[written..],
            Err(err)
                if matches!(
                    err.kind(),
                    ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted
                ) => {}
            Err(err) => return Err(err),
        }
    }
    Ok(())
}
