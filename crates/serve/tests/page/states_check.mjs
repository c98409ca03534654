// Opens the page in a browser where something is wrong or unusual, and checks that it says so.
//
//   node states_check.mjs /usr/bin/chromium STATE=BASE_URL@INSTANT... [--pictures FOLDER]
//
// Each state is a server of its own. The page is opened through a reverse proxy that serves it under a path, and that
// takes the time to be INSTANT, by which the page goes. Needs the package playwright-core in the working directory. Prints
// "states: ok", or says what is wrong and exits 1.

import http from "node:http";
import { createRequire } from "node:module";

const { chromium } = createRequire(`${process.cwd()}/`)("playwright-core");

const SHOWN_MS_MAX = 20_000;
const ASK_MS = 50;
const PATH = "/wall/headcount/";

const args = process.argv.slice(2);
const pictures = args.includes("--pictures") ? args.splice(args.indexOf("--pictures"), 2)[1] : null;
const [executablePath, ...given] = args;
const states = given.map((text) => {
  const [, name, base, instant] = /^(\w+)=(.+)@(.+)$/.exec(text);
  return { name, base, instant };
});

/** What each state must show. */
const CHECKS = {
  async never(page) {
    await page.says("unheard", /Nothing was heard yet.*the client's secret was refused/);
    await page.says("connection", /^nothing heard yet$/);
    await page.says("active-count", /^–$/);
    await page.says("conversations-table", /Nothing was heard yet: whether anybody is/, "#conversations-empty");
    await page.says("heatmap", /^Nothing was heard yet/, "#heatmap-summary");
    await page.isDim("#active-count", true);
  },
  async lost(page) {
    await page.says("unheard", /No feed is heard.*events has not been heard since 12:00:00 \(the token was refused\)/);
    await page.says("connection", /^not heard$/);
    await page.says("active-count", /^3$/);
    await page.isDim("#active-count", true);
    await page.isDim(".board .scroll", true);
    await page.isDim(".feeds", false);
  },
  async partly(page) {
    await page.says("unheard", /What only these tell is missing: second has not been heard since 12:00:00/);
    await page.says("connection", /^partly heard$/);
    await page.isDim("#active-count", false);
  },
  async lacking(page) {
    await page.says("unheard", /^Not everything is heard: the list of queues could not be read\.$/);
    await page.says("connection", /^partly heard$/);
  },
  async live(page) {
    await page.says("connection", /^live$/);
    await page.isHidden("#unheard");
    await page.isDim("#active-count", false);
    await page.fill("#filter-text", "participants");
    await page.rows(0);
    await page.fill("#filter-text", "customer-2");
    await page.rows(1);
    await page.fill("#filter-text", "ALERTING");
    await page.rows(3);
    await page.click('[data-testid="conversations-table"] tbody button');
    await page.says("timeline", /1 entries/, "#timeline-about");
  },
  // Berlin, 25 hours: 02:00 to 02:59 came twice; nobody listened from 06:00 to 07:00 UTC, 07:00 to 08:00 there.
  async back(page) {
    await page.level("02:30", /^[1-6]$/, "yes");
    await page.reads("02:30", /twice: 2 events at \+02:00, 5 events at \+01:00$/);
    await page.level("02:10", /^0$/, "yes");
    await page.hatched("07:00", "07:59");
    await page.isNow("11:00");
    await page.level("11:30", /^absent$/, "no");
    await page.reads("11:30", /no such minute/);
  },
  // Berlin, 23 hours: 02:00 to 02:59 was not today, and shows nothing of yesterday's either.
  async forward(page) {
    await page.hatched("08:00", "08:59");
    await page.isNow("12:00");
    await page.level("02:30", /^absent$/, "no");
    await page.level("03:00", /^[1-6]$/, "no");
    await page.level("11:30", /^0$/, "no");
    await page.says("heatmap", /^3 events; the busiest minute is 03:00 with 3\. 9 more are of the day before/, "#heatmap-summary");
    await page.says("conversations-table", /1 Jan 13:00:00$/, "#conversations-rows .since div");
  },
  // Lord Howe, 24.5 hours: 01:30 to 01:59 came twice.
  async half(page) {
    await page.level("01:45", /^[1-6]$/, "yes");
    await page.reads("01:45", /twice: 3 events at \+11:00, 4 events at \+10:30$/);
    await page.level("01:15", /^0$/, "no");
    await page.isNow("02:30");
  },
  // Winnipeg, after the law changed: whatever the browser knows.
  async law(page) {
    await page.isNow("23:51");
    await page.level("23:50", /^[1-6]$/, "no");
    await page.says("feeds", /connected since 23:41:00/);
    await page.says("heatmap", /zone rules 20\d\d[a-z]+/, ".activity .heading");
  },
};

const wrong = [];
const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
try {
  for (const state of states) await look(state);
} catch (error) {
  wrong.push(error.message);
} finally {
  await browser.close();
}
if (wrong.length > 0) {
  console.error(`states: ${wrong.join("\nstates: ")}`);
  process.exit(1);
}
console.log("states: ok");

async function look({ name, base, instant }) {
  const proxy = await proxied(base, new Date(instant).toUTCString());
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  const outside = (url) => !url.startsWith("data:") && !new URL(url).pathname.startsWith(PATH);
  page.on("request", (request) => outside(request.url()) && wrong.push(`${name}: asks beside its path: ${request.url()}`));
  page.on("console", (message) => message.type() === "error" && wrong.push(`${name}: console error: ${message.text()}`));
  page.on("pageerror", (error) => wrong.push(`${name}: script error: ${error.message}`));
  await page.goto(`http://127.0.0.1:${proxy.address().port}${PATH}`, { waitUntil: "load" });
  await CHECKS[name](asked(page, name));
  if (pictures !== null) await page.screenshot({ path: `${pictures}/${name}.png` });
  await page.close();
  proxy.closeAllConnections();
  proxy.close();
}

/** A reverse proxy that hands on what lies under a path, and whose answers have a date of ours. */
function proxied(base, date) {
  const { hostname, port } = new URL(base);
  const proxy = http.createServer((request, response) => {
    if (!request.url.startsWith(PATH)) return response.writeHead(404).end();
    const path = request.url.slice(PATH.length - 1);
    const onward = http.request({ hostname, port, path, method: request.method, headers: { host: `${hostname}:${port}` } });
    onward.on("response", (answer) => {
      response.writeHead(answer.statusCode, { ...answer.headers, date });
      answer.pipe(response);
    });
    onward.on("error", () => response.destroy());
    response.on("close", () => onward.destroy());
    onward.end();
  });
  return new Promise((ready) => proxy.listen(0, "127.0.0.1", () => ready(proxy)));
}

/** What a check asks of a page. Asks again from here until it holds: the page's policy rightly forbids evaluation in it. */
function asked(page, name) {
  const at = (time) => {
    const [h, m] = time.split(":").map(Number);
    return h * 60 + m;
  };
  const holds = async (what, ask, ...more) => {
    const until = Date.now() + SHOWN_MS_MAX;
    let found;
    do {
      found = await page.evaluate(`(${ask})(...${JSON.stringify(more)})`);
      if (found === true) return;
      await page.waitForTimeout(ASK_MS);
    } while (Date.now() < until);
    wrong.push(`${name}: not within ${SHOWN_MS_MAX / 1000} s: ${what}, but ${JSON.stringify(found)}`);
  };
  const text = (selector, pattern) => holds(`${selector} says ${pattern}`, (selector, source) => {
    const { textContent, hidden } = document.querySelector(selector);
    return hidden ? "hidden" : new RegExp(source).test(textContent.trim()) || textContent.trim();
  }, selector, pattern.source);
  const cell = (what, time, ask, ...more) => holds(`${time} ${what}`, `(at, ...more) => {
    const cell = document.querySelector('[data-cell="' + at + '"]');
    return (${ask})(cell, ...more);
  }`, at(time), ...more);
  return {
    click: (selector) => page.locator(selector).first().click(),
    fill: (selector, value) => page.locator(selector).fill(value),
    says: (id, pattern, selector = `[data-testid="${id}"]`) => text(selector, pattern),
    rows: (n) => holds(`${n} rows`, (n) => {
      const rows = document.querySelectorAll('[data-testid="conversations-table"] tbody tr').length;
      return rows === n || rows;
    }, n),
    isHidden: (selector) => holds(`${selector} is hidden`, (selector) => document.querySelector(selector).hidden, selector),
    isDim: (selector, is) => holds(`${selector} is dim: ${is}`, (selector, is) =>
      (getComputedStyle(document.querySelector(selector)).opacity < 1) === is, selector, is),
    level: (time, pattern, twice) => cell(`has level ${pattern}, twice ${twice}`, time, (cell, source, twice) => {
      const { level, twice: is } = cell.dataset;
      return (new RegExp(source).test(level) && is === twice) || `${level} ${is}`;
    }, pattern.source, twice),
    isNow: (time) => cell("is now", time, (cell) =>
      cell.dataset.now === "yes" || document.querySelector('[data-now="yes"]')?.dataset.cell),
    hatched: (first, last) => holds(`${first} to ${last} alone are hatched`, (first, last) => {
      const hatched = [...document.querySelectorAll('.cells [data-level="unknown"]')].map((cell) => Number(cell.dataset.cell));
      return (hatched[0] === first && hatched.at(-1) === last && hatched.length === last - first + 1) || hatched;
    }, at(first), at(last)),
    async reads(time, pattern) {
      await page.locator(`[data-cell="${at(time)}"]`).hover();
      await text("#heatmap-reading", pattern);
    },
  };
}
