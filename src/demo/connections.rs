//! The connections that stand open: how many there may be, and the way to end them all at once.
//!
//! The lock guards the table alone and is never held while a socket is read or written.

use std::collections::HashMap;
use std::net::{Shutdown, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Connections at a time. Each has a thread, and a crawl opens at most a few hundred.
const MOST: usize = 600;

/// The table of open connections; `None` once the shop is closed.
pub(super) struct Connections {
    table: Mutex<Option<Table>>,
    closed: Condvar,
}

#[derive(Default)]
struct Table {
    open: HashMap<u64, Arc<TcpStream>>,
    next: u64,
}

/// Why a connection cannot come in.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Shut {
    /// There are too many.
    Full,
    /// The shop is closed.
    Closed,
}

impl Connections {
    pub(super) fn new() -> Connections {
        Connections { table: Mutex::new(Some(Table::default())), closed: Condvar::new() }
    }

    /// Lets a connection in until the returned visit is dropped.
    pub(super) fn enter(&self, stream: Arc<TcpStream>) -> Result<Visit<'_>, Shut> {
        let mut guard = self.lock();
        let table = guard.as_mut().ok_or(Shut::Closed)?;
        if table.open.len() >= MOST {
            return Err(Shut::Full);
        }
        let id = table.next;
        table.next += 1;
        table.open.insert(id, Arc::clone(&stream));
        Ok(Visit { connections: self, id, stream })
    }

    /// Lets nobody in any more and shuts the sockets of those inside, so that their threads' reads and writes end.
    pub(super) fn close(&self) {
        let table = self.lock().take();
        for stream in table.into_iter().flat_map(|table| table.open.into_values()) {
            // It fails if the peer has gone, which is as good.
            let _ = stream.shutdown(Shutdown::Both);
        }
        self.closed.notify_all();
    }

    pub(super) fn are_closed(&self) -> bool {
        self.lock().is_none()
    }

    /// Waits until they are closed, but not longer than `limit`; says whether they are.
    pub(super) fn wait_closed(&self, limit: Duration) -> bool {
        let waited = self.closed.wait_timeout_while(self.lock(), limit, |table| table.is_some());
        waited.unwrap_or_else(PoisonError::into_inner).0.is_none()
    }

    /// The table is whole after every statement, so a panic elsewhere leaves nothing half done.
    fn lock(&self) -> MutexGuard<'_, Option<Table>> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One connection that is in.
pub(super) struct Visit<'a> {
    connections: &'a Connections,
    id: u64,
    pub(super) stream: Arc<TcpStream>,
}

impl Drop for Visit<'_> {
    fn drop(&mut self) {
        if let Some(table) = self.connections.lock().as_mut() {
            table.open.remove(&self.id);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    fn stream() -> Arc<TcpStream> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        Arc::new(TcpStream::connect(listener.local_addr().unwrap()).unwrap())
    }

    #[test]
    fn there_is_room_for_so_many_and_again_when_one_leaves() {
        let (connections, stream) = (Connections::new(), stream());
        let mut visits: Vec<Visit> =
            (0..MOST).map(|_| connections.enter(Arc::clone(&stream)).unwrap()).collect();
        assert_eq!(connections.enter(Arc::clone(&stream)).err(), Some(Shut::Full));
        visits.pop();
        assert!(connections.enter(stream).is_ok());
    }

    #[test]
    fn nobody_enters_a_closed_shop() {
        let connections = Connections::new();
        let visit = connections.enter(stream()).unwrap();
        assert!(!connections.wait_closed(Duration::ZERO));
        connections.close();
        assert!(connections.wait_closed(Duration::ZERO) && connections.are_closed());
        assert_eq!(connections.enter(stream()).err(), Some(Shut::Closed));
        drop(visit);
    }
}
