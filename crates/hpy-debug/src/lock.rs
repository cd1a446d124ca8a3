//! The lock of the state.

use core::hint;
use core::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use parking_lot::lock_api::{GuardNoSend, RawMutex};

/// A lock that is let go with one store: a call takes it three times, for some dozen instructions each, and mostly no other thread
/// wants it.
pub(crate) struct Lock(AtomicBool);

// SAFETY: who has set the flag has the lock, until the flag is cleared.
unsafe impl RawMutex for Lock {
    const INIT: Self = Self(AtomicBool::new(false));
    type GuardMarker = GuardNoSend;

    #[inline(always)]
    fn lock(&self) {
        if !self.try_lock() {
            self.wait();
        }
    }

    #[inline(always)]
    fn try_lock(&self) -> bool {
        !self.0.swap(true, Ordering::Acquire)
    }

    #[inline(always)]
    unsafe fn unlock(&self) {
        self.0.store(false, Ordering::Release);
    }
}

impl Lock {
    /// Waits for the lock: what is done under it is short, unless its thread does not run, or much is listed.
    #[cold]
    #[inline(never)]
    fn wait(&self) {
        for round in 0_u32.. {
            match round {
                0..100 => hint::spin_loop(),
                100..200 => thread::yield_now(),
                _ => thread::sleep(Duration::from_micros(50)),
            }
            if !self.0.load(Ordering::Relaxed) && self.try_lock() {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use parking_lot::lock_api::Mutex;

    use super::*;

    #[test]
    fn one_thread_has_the_lock() {
        static COUNT: Mutex<Lock, u32> = Mutex::new(0);
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..10_000).for_each(|_| *COUNT.lock() += 1));
            }
        });
        assert_eq!(*COUNT.lock(), 40_000);
    }
}
