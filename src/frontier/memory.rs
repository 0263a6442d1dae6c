//! What the frontier knows beside its requests, for those who keep it: hosts, and the counts of the trap guard.
//!
//! Entries go out as they change, and come back before the first request. Each kind has keys of its own.

use super::Frontier;
use crate::memory::{Change, Clock};
use crate::scope::Traps;

impl Frontier {
    /// Brings back what [`Frontier::take_host_changes`] told of, of which everything was kept, in any order; and notes
    /// changes from here on. It has to come before the first request, and be called, without entries, for a run that
    /// begins. What was kept of a host is read when there is a request to it.
    ///
    /// `None`, and nothing is known, if there are entries of another kind or form.
    pub fn remember_hosts<K, V>(
        &mut self,
        entries: impl IntoIterator<Item = (K, V)>,
        clock: Clock,
    ) -> Option<()>
    where
        K: AsRef<[u8]>,
        V: AsRef<[u8]>,
    {
        self.hosts.remember(entries, clock)
    }

    /// What has changed of hosts since the last time; not more than was asked and answered since.
    pub fn take_host_changes(&mut self, clock: Clock) -> Vec<Change> {
        self.hosts.take_changes(clock)
    }

    /// As [`Frontier::remember_hosts`], what [`Frontier::take_trap_changes`] told of. Nothing where no links are
    /// followed.
    pub fn remember_traps<K, V>(&mut self, entries: impl IntoIterator<Item = (K, V)>) -> Option<()>
    where
        K: AsRef<[u8]>,
        V: AsRef<[u8]>,
    {
        if let Some(links) = &mut self.links {
            let traps = Traps::restore(links.scope(), entries)?;
            *links.traps() = traps;
        }
        Some(())
    }

    /// What has changed since the last time of what the trap guard has counted; not more than links were found since.
    pub fn take_trap_changes(&mut self) -> Vec<Change> {
        self.links.as_mut().map_or_else(Vec::new, |links| links.traps().take_changes())
    }
}
