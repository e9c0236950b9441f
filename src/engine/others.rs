//! Other terminals: their rollback goes through this engine, and their status is its own.

use crate::clean::Clean;
use crate::runbook::{Command, Core};
use crate::runs::control::{Asked, Reply, Request};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::oneshot;

/// Requests of other terminals, and those that wait for their answer.
pub struct Others {
    asked: Option<UnboundedReceiver<Asked>>,
    waiting: Vec<oneshot::Sender<Reply>>,
}

impl Others {
    /// Hears nobody where there is no socket.
    pub const fn new(asked: Option<UnboundedReceiver<Asked>>) -> Self {
        Self { asked, waiting: Vec::new() }
    }

    /// The next request; never, where nobody can ask.
    pub async fn next(&mut self) -> Option<Asked> {
        match &mut self.asked {
            Some(asked) => asked.recv().await,
            None => std::future::pending().await,
        }
    }

    /// What a request means to the core. Status is answered at once; a rollback when it is done.
    pub fn heard(&mut self, asked: Option<Asked>, core: &mut Core) -> Option<Command> {
        let Some(asked) = asked else {
            self.asked = None;
            return None;
        };
        match asked.request {
            Request::Status => {
                let snapshot = core.snapshot();
                let headline = &snapshot.headline;
                let step = snapshot.step.number();
                let says = format!("step {step} · {} · {}", headline.state, headline.going);
                // A client that is gone does not want to know.
                let _ = asked.reply.send(Reply {
                    good: true,
                    says: Clean::new(&says),
                    snapshot: Some(Box::new(snapshot)),
                });
                None
            }
            Request::Rollback => {
                self.waiting.push(asked.reply);
                Some(Command::Rollback)
            }
        }
    }

    /// Tells those who wait that traffic is back, once it is; or why it will not go back.
    pub fn answer(&mut self, core: &mut Core) {
        if self.waiting.is_empty() {
            return;
        }
        let snapshot = core.snapshot();
        let verified = snapshot.rollback.as_ref().is_some_and(|rollback| rollback.verified);
        let (good, says) = if verified {
            (true, format!("{} · {}", snapshot.headline.state, snapshot.headline.going))
        } else if snapshot.rollback.is_some() && snapshot.finish.is_none() {
            return;
        } else if let Some(question) = &snapshot.question {
            (false, format!("the cockpit asks first: {}", question.title))
        } else {
            (false, snapshot.headline.next.clone())
        };
        for reply in self.waiting.drain(..) {
            let says = Clean::new(&says);
            let snapshot = Some(Box::new(snapshot.clone()));
            let _ = reply.send(Reply { good, says, snapshot });
        }
    }
}
