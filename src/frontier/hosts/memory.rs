//! What of the hosts outlives the process, as two entries for each, and which of them have changed.
//!
//! What was kept of a host is read when the host is first met again: of a hundred thousand most never are. What cannot
//! be read then is learned again, as of a stranger, with whom everybody is careful.

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::time::Instant;

use super::{FIRST_SWEEP, Host, Hosts, IDLE_FOR, Index};
use crate::frontier::host::memory::VERSION;
use crate::frontier::pace::PacePolicy;
use crate::memory::{Change, Clock};

/// What the key of an entry begins with; the name of the host follows.
const PACE: u8 = b'p';
const ROBOTS: u8 = b'r';

/// Whether an entry is what a robots.txt said.
pub(in crate::frontier) fn is_of_robots(key: &[u8]) -> bool {
    key.first() == Some(&ROBOTS)
}

/// What is noted for those who keep it.
#[derive(Debug)]
pub(super) struct Memory {
    /// Hosts that have not been met yet.
    kept: HashMap<Box<str>, Kept>,
    /// When they were brought back.
    since: Clock,
    /// Hosts with something that was not told, each at least once.
    changed: Vec<Index>,
    /// Hosts that were forgotten.
    gone: Vec<Box<str>>,
    /// Whether what went wrong with a host is not recalled.
    is_forgiving: bool,
}

#[derive(Debug, Default)]
struct Kept {
    pace: Option<Box<[u8]>>,
    robots: Option<Box<[u8]>>,
}

/// What of a host has changed and was not told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::frontier) struct Untold {
    pub(super) pace: bool,
    pub(super) robots: bool,
}

/// Its pace has changed.
pub(super) const PACE_CHANGED: Untold = Untold { pace: true, robots: false };

/// What its robots.txt says has come.
pub(super) const ROBOTS_CHANGED: Untold = Untold { pace: false, robots: true };

impl Kept {
    /// Brings the host back to where it was.
    fn recall(&self, host: &mut Host, policy: &PacePolicy, clock: Clock) {
        if let Some(robots) = &self.robots {
            let _ = host.recall_robots(robots, clock);
        }
        if let Some(pace) = &self.pace {
            let _ = host.recall_pace(policy.at(&host.name), pace, clock);
        }
    }
}

impl Memory {
    /// How many hosts have not been met yet.
    pub(super) fn unmet(&self) -> usize {
        self.kept.len()
    }

    pub(super) fn forget(&mut self, name: Box<str>) {
        self.gone.push(name);
    }

    /// Forgets hosts that nobody has asked for since, if that loses nothing; as if they had been met.
    pub(super) fn sweep(&mut self, policy: &PacePolicy, now: Instant) {
        let Memory { kept, since, gone, .. } = self;
        if now.saturating_duration_since(since.instant) < IDLE_FOR {
            return;
        }
        let is_forgettable = |name: &str, kept: &Kept| {
            let mut host = Host::new(name, policy.at(name), since.instant);
            kept.recall(&mut host, policy, *since);
            host.is_forgettable(now)
        };
        gone.extend(kept.extract_if(|name, kept| is_forgettable(name, kept)).map(|(name, _)| name));
    }
}

impl Hosts {
    /// Brings back the hosts that [`Hosts::take_changes`] has told of, with what was kept of it, in any order; before
    /// the first request. From here on changes are noted. `None` if an entry is not of the kind that is told.
    pub(in crate::frontier) fn remember<K, V>(
        &mut self,
        entries: impl IntoIterator<Item = (K, V)>,
        clock: Clock,
    ) -> Option<()>
    where
        K: AsRef<[u8]>,
        V: AsRef<[u8]>,
    {
        let mut kept: HashMap<Box<str>, Kept> = HashMap::new();
        for (key, value) in entries {
            let (&kind, name) = key.as_ref().split_first()?;
            let name = std::str::from_utf8(name).ok()?;
            let value = value.as_ref();
            if value.first() != Some(&VERSION) {
                return None;
            }
            let host = match kept.get_mut(name) {
                Some(host) => host,
                None => kept.entry(name.into()).or_default(),
            };
            match kind {
                PACE => host.pace = Some(value.into()),
                ROBOTS => host.robots = Some(value.into()),
                _ => return None,
            }
        }
        self.sweep_at = (kept.len() * 2).max(FIRST_SWEEP);
        self.memory =
            Some(Memory { kept, since: clock, changed: Vec::new(), gone: Vec::new(), is_forgiving: false });
        Some(())
    }

    /// Whether [`Hosts::take_changes`] would tell of any.
    pub(in crate::frontier) fn has_changes(&self) -> bool {
        self.memory.as_ref().is_some_and(|memory| !memory.changed.is_empty() || !memory.gone.is_empty())
    }

    /// What has changed since the last time: at most two entries for each host that was asked or heard of since, and for
    /// each that was forgotten.
    pub(in crate::frontier) fn take_changes(&mut self, clock: Clock) -> Vec<Change> {
        let Some(memory) = &mut self.memory else { return Vec::new() };
        let mut changes = Vec::new();
        // One that was forgotten may have been met again.
        for name in std::mem::take(&mut memory.gone) {
            changes.extend([PACE, ROBOTS].map(|kind| Change { key: key(kind, &name), value: None }));
        }
        for index in std::mem::take(&mut memory.changed) {
            let Some(host) = &mut self.table[index] else { continue };
            let untold = std::mem::take(&mut host.untold);
            if untold.pace {
                let value = Some(host.pace_bytes(clock));
                changes.push(Change { key: key(PACE, &host.name), value });
            }
            if untold.robots {
                let value = Some(host.robots_bytes(clock));
                changes.push(Change { key: key(ROBOTS, &host.name), value });
            }
        }
        changes
    }

    /// Something of a host has changed.
    pub(super) fn note(&mut self, index: Index, change: Untold) {
        let Some(memory) = &mut self.memory else { return };
        let Some(host) = &mut self.table[index] else { return };
        if host.untold == Untold::default() {
            memory.changed.push(index);
        }
        host.untold.pace |= change.pace;
        host.untold.robots |= change.robots;
    }

    /// A host that was not in the table, as it was kept or as a stranger.
    pub(super) fn meet(&mut self, name: &str, now: Instant) -> Host {
        let mut host = Host::new(name, self.policy.at(name), now);
        if let Some(memory) = &mut self.memory
            && let Some(kept) = memory.kept.remove(name)
        {
            kept.recall(&mut host, &self.policy, memory.since);
            if memory.is_forgiving {
                host.forgive();
            }
        }
        host
    }

    /// Of the hosts that have not been met yet, only what is good is recalled: none is given up, and a robots.txt that did
    /// not come is asked for again.
    pub(in crate::frontier) fn forgive(&mut self) {
        if let Some(memory) = &mut self.memory {
            memory.is_forgiving = true;
        }
    }

    /// Whether something was kept of a host that is not in the table.
    pub(super) fn is_unmet(&self, name: &str) -> bool {
        self.memory.as_ref().is_some_and(|memory| memory.kept.contains_key(name))
    }
}

fn key(kind: u8, name: &str) -> Vec<u8> {
    [&[kind], name.as_bytes()].concat()
}
