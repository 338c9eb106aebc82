// A transfer report as a file in Chromium, on the screen and on A4.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Browser, BrowserContext } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { formatTransferReport, type TransferReport } from "../../src/index.ts";
import { digestOf, sampleReport } from "../unit/serve/page/report/sample-report.ts";
import { startBrowser, Tab } from "./peers/browser.ts";
import { describeWith } from "./peers/describe-with.ts";
import { createTempFolder, type TempFolder } from "./peers/temp-folder.ts";

const LONG = "registry.example/a/rather/long/path/of/a/repository/that-somebody-made:1.2.3-rc.4-build.567";

/** As much as a cover can have: long names, many volumes, reasons of two lines, three bases. */
function fullReport(): TransferReport {
  const six = [1, 2, 3, 4, 5, 6];
  return sampleReport(1, {
    date: "2026-11-29T00:00:00Z",
    signature: { state: "signed", key: digestOf("key") },
    bases: [{ id: digestOf("one") }, { id: digestOf("two") }, { source: "registry.inside:5000/mirror/of/all/images" }],
    files: six.map(volume => ({
      name: `a-rather-long-name-of-a-bundle.v0${volume}.tar`,
      volume,
      size: 4_294_967_295,
      sha256: digestOf(`volume ${volume}`).slice("sha256:".length),
    })),
    volumes: { of: 7, missing: [7] },
    left: six.map(number => ({
      kind: "platform",
      what: `${LONG}${number}, platforms linux/ppc64le, linux/s390x, windows/amd64`,
      why: "not among the chosen platforms (linux/amd64, linux/arm64/v8)",
    })),
  });
}

describeWith(["chromium"], "a transfer report in Chromium", () => {
  let folder: TempFolder;
  let browser: Browser;
  let context: BrowserContext;
  let tab: Tab;

  beforeAll(async () => {
    [folder, browser] = await Promise.all([createTempFolder(), startBrowser()]);
    context = await browser.newContext();
    tab = await Tab.open(context);
  });
  afterAll(async () => {
    await browser?.close();
    await folder?.remove();
  });

  const show = async (report: TransferReport): Promise<Awaited<ReturnType<Tab["go"]>>> => {
    const path = join(folder.path, "transfer.html");
    await writeFile(path, formatTransferReport(report, "html"));
    return await tab.go(pathToFileURL(path).href);
  };
  /** Text of a PDF of Chromium is compressed; its objects are not. */
  const printed = async (): Promise<{ readonly pages: number; readonly text: string }> => {
    const text = (await tab.page.pdf({ preferCSSPageSize: true })).toString("latin1");
    return { pages: text.match(/\/Type \/Page$/gm)?.length ?? 0, text };
  };

  test("loads nothing, and has no fault that axe finds, wide and narrow", async () => {
    expect(await show(sampleReport(8))).toMatchObject({ messages: [], requests: [] });
    for (const width of [390, 1600]) {
      await tab.page.setViewportSize({ width, height: 900 });
      expect(await tab.violations()).toEqual([]);
      expect(await tab.overflow()).toBe(0);
    }
  });

  test("is printed on A4, the images on sheets after the cover", async () => {
    await show(sampleReport(1));
    const { pages, text } = await printed();
    expect(pages).toBe(2);
    expect(text.match(/\/MediaBox \[0 0 (\d+)[\d.]* (\d+)/)?.slice(1)).toEqual(["594", "841"]);
    await show(sampleReport(40));
    expect((await printed()).pages).toBeGreaterThan(3);
  });

  test("has the places to sign on its first page, with the longest lists, too", async () => {
    await show(fullReport());
    // Cover, volumes, left out, images.
    expect((await printed()).pages).toBe(4);
  });

  test("says on each page which bundle it is, and which page", async () => {
    await show(sampleReport(1));
    const margins = await tab.page.evaluate(`
      [...document.styleSheets].flatMap(({ cssRules }) => [...cssRules]).filter(rule => rule instanceof CSSPageRule)
        .map(({ cssText }) => cssText).join(" ");
    `);
    const { id = "" } = sampleReport(1);
    const fours = [7, 11, 15].map(start => id.slice(start, start + 4)).join(" ");
    expect(margins).toContain(`@bottom-left { content: "Transfer report \u00b7 bundle ${fours}"`);
    expect(margins).toContain('content: counter(page) " / " counter(pages)');
  });
});
