// `npm run docs:site`: the pages and the library as a web site that needs no server.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startBrowser } from "./peers/browser.ts";
import { describeWith } from "./peers/describe-with.ts";
import { run } from "./peers/run.ts";
import { createTempFolder, type TempFolder } from "./peers/temp-folder.ts";

const SCRIPT = fileURLToPath(new URL("../../scripts/docs-site.mjs", import.meta.url));
const INDEX = readFileSync(fileURLToPath(new URL("../../docs/README.md", import.meta.url)), "utf8");

describeWith(["chromium", "npm"], "the site of the docs", () => {
  let folder: TempFolder;
  let browser: Browser;
  let home: string;

  beforeAll(async () => {
    folder = await createTempFolder();
    const site = join(folder.path, "site");
    // A link that leads nowhere, and a type that the library does not export, are errors.
    const { code, stdout, stderr } = await run(process.execPath, [SCRIPT, site], { timeoutMs: 570_000 });
    expect({ code, said: code === 0 ? "" : stdout + stderr }).toEqual({ code: 0, said: "" });
    home = pathToFileURL(join(site, "index.html")).href;
    browser = await startBrowser();
  }, 600_000);
  afterAll(async () => {
    await browser?.close();
    await folder?.remove();
  });

  test("has the sections of docs/README.md in its order", async () => {
    const page = await browser.newPage();
    await page.goto(home);
    const names = page.locator("nav.tsd-navigation summary");
    await names.first().waitFor();
    const sections = [...INDEX.matchAll(/^## (.*)$/gm)].map(([, name]) => name);
    expect((await names.allInnerTexts()).map(text => text.trim()).slice(0, sections.length)).toEqual(sections);
    await page.close();
  });

  for (const colorScheme of ["light", "dark"] as const) {
    test(`is ${colorScheme} where the system is, finds a page without a server, and asks for nothing else`, async () => {
      const page = await browser.newPage({ colorScheme });
      const requests: string[] = [];
      page.on("request", request => requests.push(request.url()));
      await page.goto(home);
      const colour = await page.evaluate<string>("getComputedStyle(document.body).backgroundColor");
      const red = Number(/\d+/.exec(colour));
      expect(red > 128 ? "light" : "dark").toBe(colorScheme);
      await page.locator("#tsd-search-trigger").click();
      await page.locator("#tsd-search-input").fill("volume-size");
      const found = page.locator("#tsd-search-results a");
      await found.first().waitFor();
      expect(await found.allInnerTexts()).toContain("Across an air gap");
      expect(requests.filter(url => !url.startsWith("file://"))).toEqual([]);
      await page.close();
    });
  }
});
