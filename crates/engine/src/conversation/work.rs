//! What passes over whole sets cost, counted in tests: a bound on steps holds on any machine, one on time on none.

#[cfg(test)]
thread_local! {
    static ENTRIES: std::cell::Cell<u64> = const { std::cell::Cell::new(0) };
}

/// Notes a pass over so many entries. Nothing outside of tests.
pub(crate) fn passed(entries: usize) {
    #[cfg(test)]
    ENTRIES.set(ENTRIES.get() + entries as u64);
    #[cfg(not(test))]
    let _uncounted = entries;
}

/// How many entries this thread passed over since it was asked last.
#[cfg(test)]
pub(crate) fn taken() -> u64 {
    ENTRIES.take()
}
