//! A body that goes over the wire as the world says: as large as the route's answers are, in
//! pieces at their times, and cut off where the connection is closed before its end.

use crate::lab::world;
use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::{Instant, Sleep, sleep_until};

/// What was written shall have left before the connection is closed.
const LEAVES: Duration = Duration::from_millis(20);

/// The connection is closed before the body's end.
#[derive(Debug)]
pub(super) struct CutOff;

impl fmt::Display for CutOff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the body was cut off")
    }
}

impl std::error::Error for CutOff {}

/// See the module's text. The first piece goes at once.
#[derive(Debug)]
pub(super) struct Sliced {
    whole: Bytes,
    plan: world::Body,
    begun: Instant,
    /// Pieces that were sent, and bytes.
    pieces: u32,
    sent: u32,
    pause: Pin<Box<Sleep>>,
}

impl Sliced {
    /// A page that is filled up to its size with blanks, which JSON does not mind.
    pub fn new(page: &str, plan: world::Body) -> Self {
        let mut whole = Vec::with_capacity(plan.bytes as usize);
        whole.extend_from_slice(page.as_bytes());
        whole.resize(plan.bytes as usize, b' ');
        let begun = Instant::now();
        let pause = Box::pin(sleep_until(begun));
        Self { whole: whole.into(), plan, begun, pieces: 0, sent: 0, pause }
    }
}

impl Body for Sliced {
    type Data = Bytes;
    type Error = CutOff;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, CutOff>>> {
        let plan = self.plan;
        ready!(self.pause.as_mut().poll(context));
        if self.pieces >= plan.pieces {
            // All of it was sent, or all that will be.
            return Poll::Ready((plan.sent < plan.bytes).then_some(Err(CutOff)));
        }
        self.pieces += 1;
        let share = |n: u32| (u64::from(plan.sent) * u64::from(n) / u64::from(plan.pieces)) as u32;
        let (from, to) = (self.sent, share(self.pieces));
        self.sent = to;
        // The last piece goes at the end of the time, and the end of a body that is cut with it.
        let gaps = u64::from(plan.pieces.saturating_sub(1));
        let n = u64::from(self.pieces).min(gaps);
        let next = (plan.takes_us * n).checked_div(gaps).unwrap_or(0);
        let ends = self.pieces >= plan.pieces && plan.sent < plan.bytes;
        let next =
            self.begun + Duration::from_micros(next) + if ends { LEAVES } else { Duration::ZERO };
        self.pause.as_mut().reset(next);
        let piece = self.whole.slice(from as usize..to as usize);
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.pieces >= self.plan.pieces && self.plan.sent >= self.plan.bytes
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(u64::from(self.plan.bytes - self.sent))
    }
}
