// Opens a report as an evaluator does, from a disk and without a network, and says what is wrong.
//
//   node browser.mjs REPORT.html JOURNAL.jsonl [PICTURES]
import { createRequire } from "node:module";
import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const puppeteer = createRequire(import.meta.url)("puppeteer-core");
const [file, journal, pictures] = process.argv.slice(2);
const url = pathToFileURL(file).href;
const wrong = [];
const expect = (so, says) => so || wrong.push(says);

const browser = await puppeteer.launch({
  executablePath: process.env.CHROMIUM || "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
});
try {
  const page = await browser.newPage();
  await page.setViewport({ width: 1280, height: 800 });
  page.on("console", (said) => {
    if (["error", "warn"].includes(said.type())) wrong.push(`console: ${said.text()}`);
  });
  page.on("pageerror", (error) => wrong.push(`error: ${error.message}`));
  await page.setRequestInterception(true);
  page.on("request", (request) => {
    const to = request.url();
    if (to === url || to.startsWith("blob:")) return request.continue();
    if (!to.startsWith("data:")) wrong.push(`it asks for ${to.slice(0, 80)}`);
    return request.abort();
  });

  const began = performance.now();
  await page.goto(url, { waitUntil: "load" });
  await page.waitForFunction(() => document.querySelector("#player .ap-player, #player .ap-term"));
  const opened = performance.now() - began;
  console.log(`opened in ${opened.toFixed(0)} ms`);

  // The first screen gives the verdict, and what to do next.
  const seen = await page.evaluate(() => {
    const bottom = (selector) => document.querySelector(selector).getBoundingClientRect().bottom;
    const wide = document.documentElement.scrollWidth > document.documentElement.clientWidth;
    return { h1: bottom("h1"), aside: bottom("aside"), facts: bottom(".facts"), wide };
  });
  expect(seen.h1 < 400, `the verdict ends at ${seen.h1}`);
  expect(seen.aside < 800 && seen.facts < 800, `the first screen ends too late: ${JSON.stringify(seen)}`);
  const framed = await page.$eval("#player pre", (screen) => getComputedStyle(screen).borderTopWidth);
  expect(framed === "0px", `the page's style reaches into the player: ${framed}`);
  expect(!seen.wide, "the page is wider than the window");

  // Each row of the timeline that is in the recording leads to it.
  const rows = await page.$$("a.seek");
  expect(rows.length > 10, `only ${rows.length} rows lead into the recording`);
  const at = async (row) => Number(await row.evaluate((link) => link.dataset.time));
  const current = () => page.evaluate(() => Promise.resolve(window.report.player().getCurrentTime()));
  for (const row of [rows.at(-1), rows[3], rows[Math.floor(rows.length / 2)]]) {
    const wanted = await at(row);
    await row.focus();
    await page.keyboard.press("Enter");
    await page
      .waitForFunction(
        (wanted) => Math.abs(window.report.player().getCurrentTime() - wanted) < 0.05,
        { timeout: 5000 },
        wanted
      )
      .catch(async () => wrong.push(`sought ${wanted}, is at ${await current()}`));
  }
  const told = await page.$eval("#shown", (shown) => shown.textContent);
  expect(/^line \d+ · /.test(told), `what is shown is not told: ${told}`);

  // The journal in the page is the one beside it, byte for byte.
  const inside = await page.evaluate(() => window.report.journal());
  expect(inside === readFileSync(journal, "utf8"), "the journal in the page is another one");
  await page.click("#show-journal");
  expect(await page.$eval("#raw-journal", (raw) => !raw.hidden && raw.textContent.length > 1000), "it is not shown");
  await page.click("#show-journal");

  // Without script everything else can be read.
  const plain = await browser.newPage();
  await plain.setJavaScriptEnabled(false);
  await plain.goto(url);
  const text = await plain.$eval("body", (body) => body.innerText);
  for (const word of ["BACK ON BLUE", "The player needs script", "Limits of this evidence"]) {
    expect(text.includes(word), `without script there is no "${word}"`);
  }

  // It prints.
  for (const format of ["a4", "letter"]) {
    const pdf = await page.pdf({ format, printBackground: true, preferCSSPageSize: true });
    expect(Buffer.from(pdf.slice(0, 5)).toString() === "%PDF-" && pdf.length > 20_000, `no ${format}`);
    if (pictures) writeFileSync(`${pictures}/report-${format}.pdf`, pdf);
  }

  if (pictures) {
    copyFileSync(file, `${pictures}/report.html`);
    for (const [name, width, scheme] of [["light", 1280, "light"], ["dark", 1280, "dark"], ["narrow", 390, "light"]]) {
      const look = await browser.newPage();
      await look.setViewport({ width, height: 800 });
      await look.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
      await look.goto(url);
      await look.waitForSelector("#player .ap-player, #player .ap-term");
      await look.screenshot({ path: `${pictures}/${name}-first.png` });
      await look.screenshot({ path: `${pictures}/${name}.png`, fullPage: true });
      for (const part of await look.$$("main > section")) {
        const id = await part.evaluate((part) => part.id);
        await part.screenshot({ path: `${pictures}/${name}-${id}.png` });
      }
    }
  }
} finally {
  await browser.close();
}
if (wrong.length) {
  console.error(wrong.join("\n"));
  process.exit(1);
}
