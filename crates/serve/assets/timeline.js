// The timeline of one conversation, in a panel beside the board.

import { get, now, throttled } from "./connection.js";
import { byId, element, say, short } from "./words.js";
import { exactTime, timeOfDay } from "./zone.js";

const REFRESH_MS = 1000;
/** A conversation that went on for days must not stall the page. */
const ENTRIES_MAX = 1000;

let id = null;
let opener = null;
const refresh = throttled(load, REFRESH_MS);

export function build() {
  byId("timeline-close").addEventListener("click", close);
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && id !== null) close();
  });
}

/** Shows the timeline of a conversation; focus goes back to `from` when it is closed. */
export function show(conversation, from) {
  [id, opener] = [conversation, from];
  say(byId("timeline-id"), conversation);
  say(byId("timeline-about"), "Loading.");
  byId("timeline-rows").replaceChildren();
  byId("timeline").hidden = false;
  byId("timeline-heading").focus();
  refresh();
}

/** Something changed in a conversation. */
export function changed(conversation) {
  if (conversation === id) refresh();
}

function close() {
  id = null;
  byId("timeline").hidden = true;
  opener?.focus();
}

async function load() {
  const asked = id;
  if (asked === null) return;
  const { entries, completeness } = await get(`api/v1/conversations/${encodeURIComponent(asked)}/timeline`);
  if (asked !== id) return;
  const shown = entries.slice(-ENTRIES_MAX);
  byId("timeline-rows").replaceChildren(...shown.map(row));
  const cut = shown.length < entries.length ? `, the newest ${ENTRIES_MAX} shown` : "";
  const begun = entries.length > 0 ? `, from ${timeOfDay(Date.parse(entries[0].effectiveAt), now())}` : "";
  say(byId("timeline-about"), `${entries.length} entries${cut}${begun}; ${completeness}`);
}

function row(entry) {
  const at = entry.at === null
    ? element("span", { title: `the source gave no time; received ${entry.receivedAt}` }, `~${exactTime(entry.effectiveAt)}`)
    : element("span", { title: entry.at }, exactTime(entry.at));
  const what = element("td", {}, element("strong", {}, entry.kind));
  if (entry.late) what.append(element("span", { class: "mark", title: "arrived after its place had been published" }, "late"));
  if (entry.concurrent) {
    what.append(element("span", { class: "mark quiet", title: "some other fact is neither before nor after it" }, "concurrent"));
  }
  return element("tr", {}, element("td", { class: "at" }, at), what, passage(entry), who(entry));
}

function passage({ from, to, reason }) {
  const cell = element("td", {}, from === null ? (to ?? "–") : `${from} → ${to ?? "–"}`);
  if (reason !== null) cell.append(element("span", { class: "muted" }, ` (${reason})`));
  return cell;
}

function who({ participantId, role, userId, queueId, medium }) {
  if (participantId === null) return element("td", { class: "muted" }, "the conversation");
  const cell = element("td", {}, element("span", { title: participantId }, role ?? "participant"));
  const more = [medium, userId && `user ${short(userId)}`, queueId && `queue ${short(queueId)}`].filter(Boolean);
  if (more.length > 0) cell.append(element("span", { class: "muted" }, ` ${more.join(", ")}`));
  return cell;
}
