// What the page hears from the server: the state once a second, and each change as it happens.
//
// Every address is relative to the page's, which may lie under a path of a reverse proxy.

const POLL_MS = 1000;
const POLL_HIDDEN_MS = 5000;
const ANSWER_MS_MAX = 5000;
const AGAIN_MS = 1000;
/** Below this, the two clocks are taken for one: the server's Date header has whole seconds. */
const SKEW_MS_MIN = 2000;

let skew = 0;

/** The server's time: ages must not depend on how this machine's clock is set. */
export function now() {
  return Date.now() + skew;
}

/** Fetches JSON; throws when there is no good answer in time. */
export async function get(path) {
  const response = await fetch(path, { signal: AbortSignal.timeout(ANSWER_MS_MAX), cache: "no-store" });
  const date = Date.parse(response.headers.get("date"));
  if (Number.isFinite(date)) {
    const apart = date - Date.now();
    skew = Math.abs(apart) > SKEW_MS_MIN ? apart : 0;
  }
  if (!response.ok) throw new Error(`${path} answered ${response.status}`);
  return response.json();
}

/** Calls `take` with the answer of `path` again and again, and `lost` for each time that there is none. */
export async function poll(path, everyMs, take, lost = () => {}) {
  for (;;) {
    try {
      take(await get(path));
    } catch (error) {
      lost(error);
    }
    await new Promise((wake) => setTimeout(wake, document.hidden ? POLL_HIDDEN_MS : everyMs));
  }
}

export function pollState(take, lost) {
  poll("api/v1/state", POLL_MS, take, lost);
}

/** Follows the stream for ever: `changed(change)` for each, `began()` for a snapshot, `open(isIt)` for the connection. */
export function follow({ changed, began, open }) {
  let last = "";
  const connect = () => {
    const source = new EventSource(`api/v1/stream${last && `?lastEventId=${encodeURIComponent(last)}`}`);
    const again = () => {
      source.close();
      open(false);
      setTimeout(connect, AGAIN_MS);
    };
    source.addEventListener("open", () => open(true));
    source.addEventListener("snapshot", (event) => {
      last = event.lastEventId;
      began();
    });
    for (const name of ["change", "revision"]) {
      source.addEventListener(name, (event) => {
        last = event.lastEventId;
        changed(JSON.parse(event.data));
      });
    }
    source.addEventListener("reset", again);
    source.addEventListener("error", again);
  };
  connect();
}

/** A function that runs `work` soon after it is called, but never twice at a time nor more than once in `everyMs`. */
export function throttled(work, everyMs) {
  let wanted = false;
  let busy = false;
  const run = async () => {
    if (busy || !wanted) return;
    [busy, wanted] = [true, false];
    try {
      await work();
    } catch {
      wanted = true;
    }
    setTimeout(() => {
      busy = false;
      run();
    }, everyMs);
  };
  return () => {
    wanted = true;
    run();
  };
}
