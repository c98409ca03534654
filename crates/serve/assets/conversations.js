// Who is on now: a bounded table of the active conversations, kept up to date row by row.
//
// Rows are kept by id and replaced only when their conversation changed, so that focus, selection and scrolling survive
// a board that moves all the time.

import { get, now, throttled } from "./connection.js";
import { byId, count, element, say, short, span } from "./words.js";
import { timeOfDay } from "./zone.js";

const ROWS_MAX = 200;
/** With a text to find, more are fetched than are shown. */
const SEARCHED_MAX = 1000;
const REFRESH_MS = 1000;
const ROLES = ["customer", "agent", "user", "acd", "ivr", "flow", "supervisor", "external", "voicemail", "group", "campaign"];
const MEDIA = ["voice", "chat", "message", "email", "callback", "video", "screenshare", "cobrowse", "social"];

const rows = new Map();
let activeCount = null;
let suspectCount = null;
let open = () => {};
/** How what is shown is known: see `standing` of the feeds. */
let heard = "waiting";

export const refresh = throttled(load, REFRESH_MS);

/** Builds the filters; `show` is called with a conversation's id that was chosen. */
export function build(show) {
  open = show;
  byId("filter-role").append(...ROLES.map((role) => element("option", {}, role)));
  byId("filter-medium").append(...MEDIA.map((medium) => element("option", {}, medium)));
  byId("filters").addEventListener("input", refresh);
  byId("filters").addEventListener("submit", (event) => event.preventDefault());
}

/** How many there are in all, and how many of them may be over, by the state. */
export function expect(active, suspects) {
  if (activeCount !== active || suspectCount !== suspects) refresh();
  [activeCount, suspectCount] = [active, suspects];
}

/** Says how what is shown is known. */
export function known(how) {
  if (heard === how) return;
  heard = how;
  refresh();
}

/** Brings the ages up to date, and the times, which are written otherwise when the day or the clocks change. */
export function tick() {
  for (const { started, age, startedAt } of rows.values()) {
    say(started, startedAt === null ? "–" : timeOfDay(startedAt, now()));
    say(age, startedAt === null ? "–" : span(now() - startedAt));
  }
}

async function load() {
  const text = byId("filter-text").value.trim().toLowerCase();
  const query = new URLSearchParams({
    active: "true",
    role: byId("filter-role").value,
    medium: byId("filter-medium").value,
    limit: text ? SEARCHED_MAX : ROWS_MAX,
  });
  const { items, nextCursor, activeInteractions } = await get(`api/v1/conversations?${query}`);
  const found = text ? items.filter((item) => says(item, text)) : items;
  found.sort((a, b) => (a.startedAt ?? "").localeCompare(b.startedAt ?? "") || a.id.localeCompare(b.id));
  draw(found.slice(0, ROWS_MAX));
  const filtered = Boolean(text || query.get("role") || query.get("medium"));
  more(found.length, nextCursor !== null && activeInteractions, filtered);
}

/** Whether a conversation's ids and words have a text in them; names of fields are no words of its. */
function says({ id, media, suspect, participants }, text) {
  const people = participants.flatMap((p) =>
    [p.id, p.role, p.state, p.userId, p.queueId, p.endReason, p.held && "held", p.muted && "muted"]);
  const doubt = suspect === null ? [] : ["may be over", suspect.reason];
  return [id, ...media, ...doubt, ...people].some((word) => word && word.toLowerCase().includes(text));
}

function draw(items) {
  const wanted = new Map(items.map((item) => [item.id, JSON.stringify(item)]));
  for (const [id, row] of rows) {
    if (!wanted.has(id)) {
      row.element.remove();
      rows.delete(id);
    }
  }
  const body = byId("conversations-rows");
  items.forEach((item, place) => {
    const row = kept(item, wanted.get(item.id));
    if (body.children[place] !== row.element) body.insertBefore(row.element, body.children[place] ?? null);
  });
  tick();
}

/** The row of a conversation; its cells are made anew when it changed. */
function kept(item, written) {
  const row = rows.get(item.id) ?? begun(item.id);
  if (row.written === written) return row;
  row.written = written;
  row.startedAt = item.startedAt === null ? null : Date.parse(item.startedAt);
  const media = item.media.map((medium) => element("span", { class: "tag" }, medium));
  row.media.replaceChildren(...media, ...suspicion(item.suspect));
  const [on, gone] = [item.participants.filter((p) => p.active), item.participants.filter((p) => !p.active)];
  const left = gone.length > 0 ? [element("span", { class: "muted" }, `${gone.length} left`)] : [];
  const why = item.suspect === null ? [] : [element("div", { class: "muted" }, item.suspect.reason)];
  row.people.replaceChildren(...on.map(person), ...left, ...why);
  return row;
}

/** A mark on a conversation whose end may have been missed. */
function suspicion(suspect) {
  if (suspect === null) return [];
  const why = `${suspect.reason}, since ${timeOfDay(Date.parse(suspect.since), now())}`;
  return [element("span", { class: "mark", "data-testid": "suspect", title: why }, "may be over")];
}

function begun(id) {
  const names = { type: "button", class: "id", title: id, "aria-label": `Timeline of ${id}` };
  const button = element("button", names, short(id));
  button.addEventListener("click", () => open(id, button));
  const media = element("div");
  const [started, age] = [element("div"), element("div", { class: "muted" })];
  const people = element("td", { class: "people" });
  const made = element(
    "tr",
    {},
    element("td", { class: "which" }, button, media),
    element("td", { class: "since" }, started, age),
    people,
  );
  const row = { element: made, media, started, age, people, written: "", startedAt: null };
  rows.set(id, row);
  return row;
}

function person(p) {
  const state = p.state ?? "unknown";
  const made = element(
    "span",
    { class: "person", "data-state": p.held ? "held" : state },
    element("span", { class: "dot", "aria-hidden": "true" }),
    element("strong", {}, p.role ?? "participant"),
    element("span", {}, state),
  );
  if (p.userId !== null) made.append(element("span", { class: "muted", title: `user ${p.userId}` }, `user ${short(p.userId)}`));
  if (p.queueId !== null) made.append(element("span", { class: "muted", title: `queue ${p.queueId}` }, `queue ${short(p.queueId)}`));
  if (p.held) made.append(element("span", { class: "mark" }, "held"));
  if (p.muted) made.append(element("span", { class: "mark" }, "muted"));
  return made;
}

/** What it means that there is nobody, by how it is known. */
const NOBODY = {
  waiting: "Waiting for the first answer.",
  never: "Nothing was heard yet: whether anybody is on a conversation is not known.",
  unheard: "Nobody was when a feed was last heard; whether anybody is now is not known.",
  partly: "Nobody is known to be on a conversation; not every feed is heard.",
  live: "Nobody is on a conversation.",
};

/** `cut`: false, or how many are active in all when the list goes on. */
function more(found, cut, filtered) {
  const shown = Math.min(found, ROWS_MAX);
  const empty = byId("conversations-empty");
  empty.hidden = shown > 0;
  const isKnown = heard === "live" || heard === "partly";
  say(empty, filtered && isKnown ? "No active conversation passes the filter." : NOBODY[heard]);
  let text = shown > 0 ? `${count(shown)} shown` : "";
  if (filtered && cut !== false) text = `${count(shown)} shown, more were not searched`;
  else if (found > shown) text = `${count(shown)} shown and ${count(found - shown)} more`;
  else if (cut !== false) text = `${count(shown)} shown and ${count(Math.max(cut - shown, 1))} more`;
  say(byId("conversations-more"), text);
}
