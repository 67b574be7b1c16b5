//! How long a connection may be quiet.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use tokio::time::Sleep;

/// A connection's quiet time. What happens on the connection only notes when; the timer runs its course
/// once, and then for what is left.
pub struct Idle {
    /// `None` where a connection may be quiet for ever.
    timer: Option<Pin<Box<Sleep>>>,
    patience: Duration,
    last: Instant,
}

impl Idle {
    /// From `now` on, for at most so long.
    pub fn new(patience: Option<Duration>, now: Instant) -> Self {
        Self {
            timer: patience.map(|patience| Box::pin(tokio::time::sleep(patience))),
            patience: patience.unwrap_or(Duration::MAX),
            last: now,
        }
    }

    /// Something has happened.
    pub fn interrupt(&mut self) {
        if self.timer.is_some() {
            self.last = Instant::now();
        }
    }

    /// From now on, for at most so long.
    pub fn shorten(&mut self, patience: Duration) {
        self.patience = self.patience.min(patience);
        self.last = Instant::now();
        self.timer = Some(Box::pin(tokio::time::sleep(self.patience)));
    }

    /// Ready when it has been quiet for too long.
    pub fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let Some(timer) = &mut self.timer else { return Poll::Pending };
        loop {
            ready!(timer.as_mut().poll(context));
            let quiet = self.last.elapsed();
            if quiet >= self.patience {
                return Poll::Ready(());
            }
            let left = self.patience.saturating_sub(quiet).max(Duration::from_millis(1));
            let next = Instant::now() + left;
            timer.as_mut().reset(next.into());
        }
    }
}
