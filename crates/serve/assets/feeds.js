// How each feed is, and why the picture is not complete when it is not.

import { now } from "./connection.js";
import { byId, element, MEANING, span } from "./words.js";
import { timeOfDay } from "./zone.js";

/** `null` before the first answer. */
let shown = null;
/** Why the service says that what it serves is not current. */
let notReady = [];

/** Shows the feeds, and remembers them for [`why`]. */
export function draw({ items, notReady: reasons }) {
  [shown, notReady] = [items, reasons];
  const rows = items.map(row);
  byId("feeds").replaceChildren(...(rows.length > 0 ? rows : [element("li", { class: "muted" }, "No feed has connected yet.")]));
}

function row(feed) {
  const heard = feed.lastHeardSeconds === null ? "nothing heard yet" : `heard ${span(feed.lastHeardSeconds * 1000)} ago`;
  const stands = `${feed.connected ? "connected" : "down"} since ${timeOfDay(Date.parse(feed.since), now())}`;
  const made = element(
    "li",
    { "data-is": feed.connected ? "up" : "down" },
    element("span", { class: "dot", "aria-hidden": "true" }),
    element("strong", {}, feed.name),
    element("span", { class: "pill", "data-is": feed.completeness, title: MEANING[feed.completeness] ?? "" }, feed.completeness),
    element("span", { class: "muted" }, `${stands}, ${heard}`),
  );
  if (feed.reason !== null) made.append(element("span", { class: "reason" }, feed.reason));
  return made;
}

/** The reasons that the feeds give for what is missing. */
export function why() {
  return (shown ?? []).filter((feed) => feed.reason !== null).map((feed) => `${feed.name}: ${feed.reason}`);
}

/**
 * How what the page shows is known: `how` is `live`, `partly` (something is not heard), `unheard` (nothing is), `never` (nothing
 * ever was) or `waiting`; `says` is what there is to say about it. `ever`: whether anything was ever listened to; `trouble`: a
 * reason that is said elsewhere.
 */
export function standing(ever, trouble) {
  if (shown === null) return { how: "waiting", says: "" };
  const down = shown.filter((feed) => !feed.connected);
  const reasons = notReady.filter((reason) => reason !== trouble);
  if (shown.length > 0 && down.length === 0) {
    if (reasons.length === 0) return { how: "live", says: "" };
    return { how: "partly", says: `Not everything is heard: ${reasons.join("; ")}.` };
  }
  if (!ever) return { how: "never", says: sentence("Nothing was heard yet, so who is on a conversation is not known", down, reasons) };
  if (down.length < shown.length) return { how: "partly", says: sentence("What only these tell is missing", down) };
  return { how: "unheard", says: sentence("No feed is heard; what you see is from before", down, reasons) };
}

/** What it comes to, and of each feed since when and why; where there is no feed, what the service says. */
function sentence(what, down, reasons = []) {
  const each = down.map(({ name, since, reason }) =>
    `${name} has not been heard since ${timeOfDay(Date.parse(since), now())}${reason === null ? "" : ` (${reason})`}`);
  return `${what}: ${(each.length > 0 ? each : reasons).join("; ") || "no feed has connected yet"}.`;
}
