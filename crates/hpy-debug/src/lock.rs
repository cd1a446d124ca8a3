//! The lock of the state.

use core::hint;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use parking_lot::lock_api::{GuardNoSend, RawMutex};

use crate::call::this_thread;

/// A lock that is let go with one store: a call takes it three times, for some dozen instructions each, and mostly no other thread
/// wants it.
pub(crate) struct Lock {
    held: AtomicBool,
    /// The thread that has lent its lock to code of authors; 0 if there is none.
    lender: AtomicUsize,
}

// SAFETY: who has set the flag has the lock, until the flag is cleared.
unsafe impl RawMutex for Lock {
    const INIT: Self = Self { held: AtomicBool::new(false), lender: AtomicUsize::new(0) };
    type GuardMarker = GuardNoSend;

    #[inline(always)]
    fn lock(&self) {
        if !self.try_lock() {
            self.wait();
        }
    }

    #[inline(always)]
    fn try_lock(&self) -> bool {
        !self.held.swap(true, Ordering::Acquire)
    }

    #[inline(always)]
    unsafe fn unlock(&self) {
        self.held.store(false, Ordering::Release);
    }
}

impl Lock {
    /// While code of authors runs, other threads wait for the lock, which this thread has. If that code makes this thread want it, it
    /// has the lock again, and lets go of it afterwards.
    ///
    /// # Safety
    /// This thread has the lock, and uses nothing that it protects until [`Self::take_back`].
    pub unsafe fn lend(&self) {
        self.lender.store(this_thread(), Ordering::Relaxed);
    }

    /// Whether this thread had lent the lock; then it has it again.
    pub fn take_back(&self) -> bool {
        let lent = self.lender.load(Ordering::Relaxed) == this_thread();
        if lent {
            self.lender.store(0, Ordering::Relaxed);
        }
        lent
    }

    /// Waits for the lock: what is done under it is short, unless its thread does not run, or much is listed.
    #[cold]
    #[inline(never)]
    fn wait(&self) {
        if self.take_back() {
            return;
        }
        for round in 0_u32.. {
            match round {
                0..100 => hint::spin_loop(),
                100..200 => thread::yield_now(),
                _ => thread::sleep(Duration::from_micros(50)),
            }
            if !self.held.load(Ordering::Relaxed) && self.try_lock() {
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
    fn who_lends_the_lock_gets_it_again() {
        let lock = Lock::INIT;
        lock.lock();
        // SAFETY: it was just taken, and protects nothing.
        unsafe { lock.lend() };
        thread::scope(|scope| {
            scope.spawn(|| assert!(!lock.take_back() && !lock.try_lock()));
        });
        lock.lock();
        assert!(!lock.take_back());
        // SAFETY: as above.
        unsafe { lock.unlock() };
        assert!(lock.try_lock());
    }

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
