// The page: what is heard goes to the part that shows it, and when nothing is heard the page says so.

import { follow, now, poll, pollState } from "./connection.js";
import * as conversations from "./conversations.js";
import * as feeds from "./feeds.js";
import * as heatmap from "./heatmap.js";
import * as timeline from "./timeline.js";
import { byId, count, MEANING, say, span } from "./words.js";
import { learn, timeOfDay } from "./zone.js";

const FEEDS_MS = 2000;
const MINUTES_MS = 2000;
const COMPLETENESS_MS = 5000;
const TICK_MS = 1000;
const DAY_MS = 86_400_000;
/** A screen reader is told of a new number at most this often. */
const SPOKEN_MS = 15_000;

let lostSince = null;
let streaming = false;
let lastUpdated = null;
/** Whether any feed was ever listened to. */
let ever = false;
/** Why the service can store nothing new; undefined while it can. */
let trouble;
let spokenAt = -SPOKEN_MS;

function stateCame(state) {
  lostSince = null;
  lastUpdated = state.lastUpdated === null ? null : Date.parse(state.lastUpdated);
  ever = state.completenessFrom !== null;
  say(byId("active-count"), ever ? count(state.activeInteractions) : "–");
  if (ever) speak(state.activeInteractions);
  trouble = state.storeTrouble;
  held();
  suspects(state.suspects);
  completeness(state.completeness, state.completenessFrom);
  conversations.expect(state.activeInteractions, state.suspects);
  connection();
}

function stateLost() {
  lostSince ??= now();
  connection();
}

/** Says that the service shows nothing newer. */
function held() {
  const line = byId("held");
  line.hidden = trouble === undefined;
  if (trouble !== undefined) say(line, `What you see stands still: ${trouble}. It goes on by itself.`);
}

function speak(active) {
  if (performance.now() - spokenAt < SPOKEN_MS) return;
  spokenAt = performance.now();
  say(byId("active-spoken"), `${count(active)} active conversations`);
}

function suspects(n) {
  const line = byId("suspects");
  line.hidden = n === 0;
  say(line, `${count(n)} of them may be over: the end may have been missed`);
}

/** `from`: from when on the word speaks of every feed; said while that is not yet a day ago. */
function completeness(word, from) {
  byId("completeness").dataset.is = word;
  say(byId("completeness-word"), word);
  const reasons = word === "complete" ? [] : feeds.why();
  const young = from !== null && now() - Date.parse(from) < DAY_MS - TICK_MS * 60;
  const since = young ? [`This is about the time since ${timeOfDay(Date.parse(from), now())}.`] : [];
  say(byId("completeness-why"), [MEANING[word] ?? "", ...since, ...reasons].join(" "));
}

const PILL = {
  lost: "connection lost",
  waiting: "connecting",
  never: "nothing heard yet",
  unheard: "not heard",
  partly: "partly heard",
  live: "live",
};

/** What the page is worth, by the connection to the service and by the service's own feeds. */
function connection() {
  const lost = byId("lost");
  lost.hidden = lostSince === null;
  document.body.classList.toggle("stale", lostSince !== null);
  if (lostSince !== null) {
    say(lost, `Connection lost since ${timeOfDay(lostSince, now())}. What you see is from then; trying again.`);
  }
  const { how, says } = feeds.standing(ever, trouble);
  const dim = how === "unheard" || how === "never";
  const unheard = byId("unheard");
  unheard.hidden = says === "" || lostSince !== null;
  unheard.dataset.is = how;
  say(unheard, says);
  document.body.classList.toggle("unheard", dim);
  conversations.known(how);
  const is = lostSince !== null ? "lost" : streaming || dim ? how : "waiting";
  const pill = byId("connection");
  pill.dataset.is = is;
  say(pill, PILL[is]);
}

function tick() {
  say(byId("last-updated"), lastUpdated === null ? "none yet" : `${span(now() - lastUpdated)} ago`);
  conversations.tick();
}

heatmap.build();
timeline.build();
conversations.build(timeline.show);
conversations.refresh();
pollState(stateCame, stateLost);
poll("api/v1/completeness", COMPLETENESS_MS, heatmap.heard);
poll("api/v1/feeds", FEEDS_MS, (answer) => {
  feeds.draw(answer);
  connection();
});
poll("api/v1/minutes", MINUTES_MS, (minutes) => {
  learn(minutes.offsets);
  heatmap.draw(minutes);
});
follow({
  changed({ conversationId }) {
    conversations.refresh();
    timeline.changed(conversationId);
  },
  began: conversations.refresh,
  open(isIt) {
    streaming = isIt;
    connection();
  },
});
setInterval(tick, TICK_MS);
