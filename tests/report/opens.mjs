// How long a report takes to open, until its recording can be seen and played: the quickest of N.
//
//   node opens.mjs REPORT.html N
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const puppeteer = createRequire(import.meta.url)("puppeteer-core");
const [file, times] = process.argv.slice(2);
const browser = await puppeteer.launch({
  executablePath: process.env.CHROMIUM || "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
});
try {
  const took = [];
  for (let time = 0; time < Number(times); time++) {
    const page = await browser.newPage();
    await page.setViewport({ width: 1280, height: 800 });
    const began = performance.now();
    await page.goto(pathToFileURL(file).href, { waitUntil: "load" });
    await page.waitForFunction(() => window.report.player().getDuration() > 0);
    took.push(performance.now() - began);
    await page.close();
  }
  console.log(Math.min(...took).toFixed(0));
} finally {
  await browser.close();
}
