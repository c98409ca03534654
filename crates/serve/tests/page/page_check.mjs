// Opens the page of a live server in a browser and checks that it shows what it promises.
//
//   node page_check.mjs http://127.0.0.1:8080 /usr/bin/chromium
//
// Needs the package playwright-core in the working directory or on NODE_PATH. Prints "page: ok", or says what is wrong
// and exits 1.

import { createRequire } from "node:module";

const { chromium } = createRequire(`${process.cwd()}/`)("playwright-core");

const SHOWN_MS_MAX = 60_000;
const WATCHED_MS = 3_000;
const ASK_MS = 100;
const CELLS = 24 * 60;

const [base, executablePath] = process.argv.slice(2);
if (!base || !executablePath) {
  console.error("usage: page_check.mjs BASE_URL CHROMIUM");
  process.exit(2);
}

const wrong = [];
const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
try {
  await check(await browser.newPage({ viewport: { width: 1280, height: 800 } }));
} catch (error) {
  wrong.push(error.message);
} finally {
  await browser.close();
}
if (wrong.length > 0) {
  console.error(`page: ${wrong.join("\npage: ")}`);
  process.exit(1);
}
console.log("page: ok");

async function check(page) {
  const home = new URL(base).host;
  page.on("request", (request) => {
    const { protocol, host } = new URL(request.url());
    if (protocol !== "data:" && host !== home) wrong.push(`asks another host: ${request.url()}`);
  });
  page.on("console", (message) => {
    if (message.type() === "error") wrong.push(`console error: ${message.text()}`);
  });
  page.on("pageerror", (error) => wrong.push(`script error: ${error.message}`));

  await page.goto(base, { waitUntil: "load" });
  await shows(page, "active-count shows a number", ({ testId }) => /^[\d,]+$/.test(testId("active-count").textContent));
  await shows(page, "the table has rows", ({ testId }) => testId("conversations-table").querySelectorAll("tbody tr").length > 0);
  await shows(page, "a feed is listed", ({ testId }) => testId("feeds").querySelectorAll("li strong").length > 0);
  await shows(page, "completeness has a word", ({ testId }) =>
    /complete|repaired|partial|unknown/i.test(testId("completeness").textContent));
  await shows(page, "last-updated has an age", ({ testId }) => /\d/.test(testId("last-updated").textContent));
  await shows(page, "the heatmap has a count somewhere", ({ testId }) =>
    testId("heatmap").querySelector('[data-cell]:is([data-level="1"], [data-level="2"], [data-level="3"])') !== null);

  const cells = await page.locator('[data-testid="heatmap"] [data-cell]').count();
  if (cells !== CELLS) wrong.push(`the heatmap has ${cells} cells and not ${CELLS}`);

  await page.locator('[data-testid="conversations-table"] tbody button').first().click();
  await shows(page, "a click opens a timeline with entries", ({ testId }) =>
    !testId("timeline").hidden && testId("timeline").querySelectorAll("tbody tr").length > 0);
  await page.keyboard.press("Escape");
  await shows(page, "Escape closes the timeline", ({ testId }) => testId("timeline").hidden);

  for (const width of [1280, 390]) {
    await page.setViewportSize({ width, height: 800 });
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    if (overflow > 0) wrong.push(`at ${width} px the page is ${overflow} px too wide`);
  }
  await page.waitForTimeout(WATCHED_MS);
}

/** Waits until `holds` is true in the page; what does not come true in time is wrong. Asks again from here: the page's
 *  policy rightly forbids the evaluation that playwright's own waiting needs. */
async function shows(page, what, holds) {
  const inPage = `(${holds})({ testId: (id) => document.querySelector('[data-testid="' + id + '"]') })`;
  const until = Date.now() + SHOWN_MS_MAX;
  while (!(await page.evaluate(inPage))) {
    if (Date.now() > until) {
      wrong.push(`not within ${SHOWN_MS_MAX / 1000} s: ${what}`);
      return;
    }
    await page.waitForTimeout(ASK_MS);
  }
}
