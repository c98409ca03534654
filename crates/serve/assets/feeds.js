// How each feed is, and why the picture is not complete when it is not.

import { now } from "./connection.js";
import { byId, element, MEANING, span, timeOfDay } from "./words.js";

let shown = [];

/** Shows the feeds, and remembers them for [`why`]. */
export function draw(feeds) {
  shown = feeds;
  const rows = feeds.map(row);
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
  return shown.filter((feed) => feed.reason !== null).map((feed) => `${feed.name}: ${feed.reason}`);
}
