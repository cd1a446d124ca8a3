//! The clock: the processor's counter where it runs at one speed whatever the processor does, else the system's monotonic clock.
//!
//! Reading the counter takes less than half of the time that the system's clock takes through the vDSO (8 and 18 ns on an Intel Xeon). How long a tick is, is found by comparing both
//! clocks between the first use and the first question, and stays the same from then on.

use std::sync::OnceLock;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::level::{self, SLOW_CLOCK};

/// The shortest time between two readings that tells the speed of the counter well: to 1 in 10⁵.
const BASE: Duration = Duration::from_millis(10);

/// Both clocks at the same moment.
struct Start {
    instant: Instant,
    ticks: u64,
}

static START: OnceLock<Start> = OnceLock::new();

/// Begins to measure the speed of the counter. To be called before the first [`now`].
pub(crate) fn start() {
    START.get_or_init(|| {
        level::set(SLOW_CLOCK, !processor::is_steady());
        Start { instant: Instant::now(), ticks: processor::ticks() }
    });
}

/// The time in ticks; `level` says which clock is used.
#[inline(always)]
pub(crate) fn now(level: u8) -> u64 {
    if level & SLOW_CLOCK == 0 { processor::ticks() } else { system_ticks() }
}

#[cold]
fn system_ticks() -> u64 {
    let since = START.get().map_or(Duration::ZERO, |start| start.instant.elapsed());
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

/// How many ticks a second has.
pub fn frequency() -> u64 {
    static FREQUENCY: OnceLock<u64> = OnceLock::new();
    *FREQUENCY.get_or_init(|| {
        start();
        if level::level() & SLOW_CLOCK != 0 {
            return 1_000_000_000;
        }
        processor::frequency().unwrap_or_else(measure)
    })
}

fn measure() -> u64 {
    let Some(start) = START.get() else { return 1_000_000_000 };
    let so_far = start.instant.elapsed();
    if so_far < BASE {
        sleep(BASE.saturating_sub(so_far));
    }
    let (passed, ticks) = (start.instant.elapsed(), processor::ticks() - start.ticks);
    (ticks as f64 / passed.as_secs_f64()).round() as u64
}

/// How many nanoseconds it takes to read the clock, which is done twice for each call that is timed.
pub fn reading_time() -> f64 {
    const READINGS: u64 = 1000;
    start();
    let level = level::level();
    let once = || {
        let began = now(level);
        let mut end = began;
        for _ in 0..READINGS {
            end = now(level);
        }
        end.saturating_sub(began)
    };
    // What disturbs the readings makes them longer, never shorter.
    let ticks = (0..5).map(|_| once()).min().unwrap_or_default();
    ticks as f64 * 1e9 / frequency() as f64 / READINGS as f64
}

/// What a number of ticks is in nanoseconds.
pub(crate) fn nanoseconds(ticks: u64) -> u64 {
    let product = u128::from(ticks) * 1_000_000_000 / u128::from(frequency().max(1));
    u64::try_from(product).unwrap_or(u64::MAX)
}

/// The ticks at the beginning of time, for [`crate::Event`].
pub(crate) fn origin() -> u64 {
    match START.get() {
        Some(start) if level::level() & SLOW_CLOCK == 0 => start.ticks,
        _ => 0,
    }
}

#[cfg(target_arch = "x86_64")]
mod processor {
    use core::arch::x86_64::{__cpuid, _rdtsc};

    /// Whether the counter runs at one speed in all states of the processor: the bit «invariant TSC».
    pub(super) fn is_steady() -> bool {
        const POWER: u32 = 0x8000_0007;
        __cpuid(0x8000_0000).eax >= POWER && __cpuid(POWER).edx & (1 << 8) != 0
    }

    /// The instruction does not wait for those before it, as `rdtscp` does in twice the time; so a reading is wrong by a few nanoseconds.
    #[inline(always)]
    pub(super) fn ticks() -> u64 {
        // SAFETY: every x86-64 processor has it.
        unsafe { _rdtsc() }
    }

    /// The processor does not say it reliably.
    pub(super) fn frequency() -> Option<u64> {
        None
    }
}

#[cfg(target_arch = "aarch64")]
mod processor {
    use core::arch::asm;

    /// The architecture promises it.
    pub(super) fn is_steady() -> bool {
        true
    }

    #[inline(always)]
    pub(super) fn ticks() -> u64 {
        let ticks;
        // SAFETY: reads a register that programs may read.
        unsafe { asm!("mrs {}, cntvct_el0", out(reg) ticks, options(nomem, nostack)) };
        ticks
    }

    pub(super) fn frequency() -> Option<u64> {
        let frequency: u64;
        // SAFETY: reads a register that programs may read.
        unsafe { asm!("mrs {}, cntfrq_el0", out(reg) frequency, options(nomem, nostack)) };
        (frequency != 0).then_some(frequency)
    }
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
mod processor {
    pub(super) fn is_steady() -> bool {
        false
    }

    pub(super) fn ticks() -> u64 {
        0
    }

    pub(super) fn frequency() -> Option<u64> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::level::level;

    #[test]
    fn ticks_are_those_of_the_system_clock() {
        start();
        let (began, instant) = (now(level()), Instant::now());
        sleep(Duration::from_millis(50));
        let (ticks, passed) = (now(level()) - began, instant.elapsed());
        let difference = nanoseconds(ticks) as f64 / passed.as_nanos() as f64;
        assert!((0.98..1.02).contains(&difference), "{difference}");
        assert!((0.1..10_000.0).contains(&reading_time()), "{}", reading_time());
    }
}
