//! The life of what runs in the slots: deploys, boots that fail or take long, restarts, ends.

use super::{Life, World};
use crate::lab::anchor::Anchor;
use crate::lab::fault::FaultKind;
use crate::units::{Millis, Role, Slot};

impl World {
    /// Begins a deploy to a slot, in which nothing runs meanwhile; `release` replaces the
    /// scenario's version. Answers when the new process will listen.
    pub fn deploy(&mut self, slot: Slot, release: Option<&str>, at: Millis) -> Millis {
        self.settle(at);
        self.end(slot, at);
        let green = self.role(slot) == Role::Green;
        if green {
            self.note(Anchor::Deploy, at);
        }
        let service = &mut self.services[slot.index()];
        if let Some(release) = release {
            service.version = release.to_owned();
        }
        let listens = at + service.spec.deploy;
        let mut ready = listens + service.spec.boot;
        let mut never = !self.has_artefact(slot, at);
        for fault in &self.faults {
            match fault.spec.kind {
                _ if !self.hits(fault, slot) || !fault.is_on(at) => {}
                FaultKind::BootSlow { more } => {
                    ready += Millis((more.0 as f64 * fault.size()) as u64);
                }
                FaultKind::BootFail { .. } => never = true,
                _ => {}
            }
        }
        let service = &mut self.services[slot.index()];
        service.start(listens, ready);
        service.dead = never;
        if green && !never {
            self.note(Anchor::Ready, ready);
        }
        listens
    }

    /// A slot's process has ended; also a deploy that was cut off before it was ready.
    pub fn stop(&mut self, slot: Slot, at: Millis) {
        self.settle(at);
        let lived = self.services[slot.index()].was_started();
        self.end(slot, at);
        if lived {
            let green = self.role(slot) == Role::Green;
            self.note(if green { Anchor::Stopped } else { Anchor::Decommission }, at);
        }
    }

    fn end(&mut self, slot: Slot, at: Millis) {
        let cut_off = self.life(slot, at) != Life::Up && self.role(slot) == Role::Green;
        if cut_off && self.anchors.seen(&Anchor::Ready).is_some_and(|ready| ready > at) {
            self.anchors.forget(&Anchor::Ready);
            self.look();
        }
        self.services[slot.index()].stop();
        self.db.close(slot);
        self.let_go(slot, at);
    }

    /// Where a slot's process is in its life.
    pub fn life(&self, slot: Slot, at: Millis) -> Life {
        let service = &self.services[slot.index()];
        let life = service.life(at);
        if life == Life::Absent {
            return life;
        }
        for fault in &self.faults {
            let every = fault.spec.every.0.max(1);
            match fault.spec.kind {
                FaultKind::RestartLoop { down } if self.hits(fault, slot) && fault.is_on(at) => {
                    let began = fault.began(at).unwrap_or(at);
                    if at.since(began).0 % every < down.0 {
                        return Life::Booting;
                    }
                }
                FaultKind::RollbackMissing { slot: true, .. }
                    if self.hits(fault, slot) && fault.is_on(at) =>
                {
                    return Life::Absent;
                }
                FaultKind::BootFail { runs, .. } if service.dead && self.hits(fault, slot) => {
                    // It listens for a part of each period, and then it has ended again.
                    let turn = at.since(service.listens().unwrap_or(at)).0 % every;
                    return if turn < runs.map_or(every / 3, |runs| runs.0) {
                        Life::Booting
                    } else {
                        Life::Absent
                    };
                }
                _ => {}
            }
        }
        if service.dead { Life::Absent } else { life }
    }

    /// The build id of what runs, or ran, in a slot.
    pub fn version(&self, slot: Slot) -> &str {
        &self.services[slot.index()].version
    }

    /// Whether the store still has the artefact of the slot's release.
    pub fn has_artefact(&self, slot: Slot, at: Millis) -> bool {
        !self.faults.iter().any(|fault| {
            matches!(fault.spec.kind, FaultKind::RollbackMissing { .. })
                && self.hits(fault, slot)
                && fault.is_on(at)
        })
    }
}
