//! Files and sockets that this process may have open, and how they are shared out.
//!
//! Readers of the API may take what is left when the feeds, the store and the followers have theirs: else a crowd of them
//! keeps a feed from connecting again, and the store from opening its file anew. The system's soft limit is often 1,024, for
//! the sake of programs that use `select`; this one does not, so that it is raised as far as the system lets it.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// What is kept for 20 channels of two sockets each, calls by REST and to InfluxDB, the store and who reads beside it, two
/// exports, the runtime and the standard streams: 110 at the most, and as many more as somebody may have forgotten.
const RESERVE: usize = 160;
/// Connections of the API that are served however little there is.
const CONNECTIONS_MIN: usize = 16;
/// More than this many open files nobody here needs.
const FILES_MAX: u64 = 65_536;

/// Raises the soft limit to the hard one; what the limit is then.
pub fn raise() -> usize {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let wanted = maximum.unwrap_or(FILES_MAX).min(FILES_MAX).max(current.unwrap_or(FILES_MAX));
    let raised = setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum });
    let limit = if raised.is_ok() { Some(wanted) } else { current };
    limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX))
}

/// What clients of the API may hold on to under a limit, and says so where that is less than usual.
pub fn shared_out(limit: usize) -> serve::Bounds {
    let usual = serve::Bounds::default();
    let left = limit.saturating_sub(RESERVE + usual.probes_max).max(CONNECTIONS_MIN);
    if left < usual.connections_max {
        tracing::warn!(
            limit,
            "only {left} connections to the API are served at once: this process may have {limit} files open, and the feeds and \
             the store need theirs; raise the limit (`ulimit -n`, or `LimitNOFILE` of a systemd unit) to 2048"
        );
    }
    serve::Bounds { connections_max: left.min(usual.connections_max), ..usual }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readers_get_what_the_feeds_and_the_store_leave() {
        let of = |limit| shared_out(limit).connections_max;
        assert_eq!((of(usize::MAX), of(2_048), of(1_024)), (1_024, 1_024, 832));
        assert_eq!((of(256), of(100), of(0)), (64, 16, 16));
    }
}
