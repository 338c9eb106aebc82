import { describe, expect, test } from "vitest";
import { reportCsv } from "../../../../../src/serve/page/report/report-csv.ts";
import { reportDocument } from "../../../../../src/serve/page/report/report-document.ts";
import { reportJson } from "../../../../../src/serve/page/report/report-json.ts";
import type { TransferImage, TransferReport } from "../../../../../src/serve/page/report/transfer-report.ts";
import { styleSource } from "../../../../../src/serve/page/style/stylesheet.ts";
import { csvRows } from "../../../../support/csv-rows.ts";
import { digestOf, sampleReport } from "./sample-report.ts";

const EVIL = `=HYPERLINK("http://x")<script>alert('1')</script>\u001b[2J\u202e&`;
const SHOWN = "=HYPERLINK(&quot;http://x&quot;)&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;";

/** A report in which each foreign text is hostile. */
function hostileReport(text: string): TransferReport {
  const [image] = sampleReport(1).images;
  const [platform] = image?.platforms ?? [];
  if (image === undefined || platform === undefined) throw new Error("the sample has no image");
  const hostile: TransferImage = {
    ...image,
    name: text,
    artifact: text,
    absent: [text],
    platforms: [{ ...platform, platform: text, created: text, licenses: text }],
  };
  return sampleReport(1, {
    bases: [{ source: text }],
    files: [{ name: text, size: 1 }],
    left: [{ kind: "image", what: text, why: text }],
    images: [hostile],
  });
}

function isSafe(text: string): boolean {
  return !text.includes("\u001b") && !text.includes("\u202e");
}

describe("a transfer report as HTML", () => {
  test("is one file: no script, no request, and a policy that allows these two stylesheets alone", () => {
    const text = String(reportDocument(sampleReport()));
    const styles = [...text.matchAll(/<style>(.*?)<\/style>/gs)].map(([, style = ""]) => styleSource(style));
    expect(styles).toHaveLength(2);
    const policy = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(text)?.[1]?.replaceAll("&#39;", "'");
    expect(policy).toBe(`default-src 'none'; style-src ${styles.join(" ")}; base-uri 'none'; form-action 'none'`);
    expect(text).not.toMatch(/<script|<img|<link|<a |\sstyle=|url\(["']?http|https?:/i);
  });

  test("shows foreign text as text, and what reorders it as escapes", () => {
    const text = String(reportDocument(hostileReport(EVIL)));
    expect(text).toContain(SHOWN);
    expect(text).not.toMatch(/<script/i);
    expect(text).toSatisfy(isSafe);
  });

  test("says on each sheet which bundle it belongs to", () => {
    const { id = digestOf("") } = sampleReport();
    const fours = [7, 11, 15].map(start => id.slice(start, start + 4)).join(" ");
    const text = String(reportDocument(sampleReport()));
    expect(text).toContain(`@page{@bottom-left{content:"Transfer report · bundle ${fours}"`);
    expect(text).toContain(`<title>Transfer report · bundle ${fours}</title>`);
    const { id: _, ...unnamed } = sampleReport();
    expect(String(reportDocument(unnamed))).toContain("<title>Transfer report</title>");
  });

  test("has a cover of one page, however many volumes there are and whatever is left out", () => {
    const many = Array.from({ length: 60 }, (_, index) => index + 1);
    const report = sampleReport(4, {
      files: many.map(volume => ({ name: `site.v${volume}.tar`, volume, size: 10 })),
      volumes: { of: 60, missing: [] },
      left: many.map(number => ({ kind: "image", what: `missing-${number}`, why: "not found" })),
    });
    const [cover = "", ...annexes] = String(reportDocument(report)).split('<div class="annex">');
    expect(annexes).toHaveLength(3);
    expect(cover).toContain("Released by (transfer desk)");
    expect(cover.match(/<tr role="row"><th role="rowheader"|site\.v/g)).toHaveLength(5 + 5);
    expect(cover).toContain("and 55 more");
    for (const text of ["site.v60.tar", "missing-60"]) expect(annexes.join("")).toContain(text);
  });

  test("says first what is missing, and that nothing is left out", () => {
    const text = String(reportDocument(sampleReport(1, { volumes: { of: 3, missing: [2, 3] }, left: [] })));
    expect(text).toContain("It is not complete: volumes 2, 3 of 3 are missing.");
    expect(text).toContain("Nothing: it brings all that it names.");
  });

  test("without a base, counts images and signatures, and has no states", () => {
    const { images } = sampleReport(8);
    const here = images.filter(({ state }) => state !== "gone").map(({ state: _, newBytes: __, ...image }) => image);
    const report = sampleReport(8, { compared: false, bases: [], counts: { images: 8 }, images: here });
    const text = String(reportDocument(report));
    expect(text).not.toMatch(/class="state (new|changed|same|gone)"/);
    expect(text).toContain("<dt>signed</dt><dd>4</dd>");
    expect(text).toContain("<dt>not signed</dt><dd>2</dd>");
    expect(text).toContain("<dt>signatures unknown</dt><dd>2</dd>");
  });
});

describe("a transfer report as CSV", () => {
  test("has a line per image and platform, and bytes of images that add up", () => {
    const report = sampleReport(8);
    const [heads = [], ...rows] = csvRows(reportCsv(report));
    expect(rows).toHaveLength(8 * 2 + 1);
    const column = (name: string): readonly string[] => rows.map(row => row[heads.indexOf(name)] ?? "");
    const sum = (name: string): number => column(name).reduce((total, text) => total + Number(text), 0);
    expect(sum("image_bytes")).toBe(report.bytes.all);
    expect(sum("image_new_bytes")).toBe(report.bytes.new);
    expect(column("state").filter(state => state === "gone")).toHaveLength(1);
    expect(column("platform").filter(platform => platform === "linux/arm64/v8")).toHaveLength(8);
  });

  test("has no formula, in no cell, and nothing that reorders text", () => {
    for (const start of ["=", "+", "-", "@", "\t", "\r", "\n", " =", "＝", "＋", "－", "＠", "\u00a0="]) {
      const text = reportCsv(hostileReport(`${start}1+1`));
      for (const cell of csvRows(text).flat()) expect(cell).not.toMatch(/^[\s\uFEFF]*[=+\-@＝＋－＠]/);
    }
    expect(reportCsv(hostileReport(EVIL))).toSatisfy(isSafe);
  });
});

describe("a transfer report as JSON", () => {
  test("is the report itself, and safe to show", () => {
    const report = hostileReport(EVIL);
    const text = reportJson(report);
    expect(JSON.parse(text)).toEqual(report);
    expect(text).toSatisfy(isSafe);
  });
});

test("a transfer report is the same bytes for the same bundle", () => {
  const forms = (): readonly string[] => [
    String(reportDocument(sampleReport())),
    reportCsv(sampleReport()),
    reportJson(sampleReport()),
  ];
  expect(forms()).toEqual(forms());
});
