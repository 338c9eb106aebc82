import { mkdir, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { ReportFile } from "../../../../../src/verbs/files/report-file.ts";
import type { RescueReport } from "../../../../../src/verbs/v1/report/rescue-report.ts";
import { rescueReportFile } from "../../../../../src/verbs/v1/report/rescue-report-file.ts";
import { csvRows } from "../../../../support/csv-rows.ts";
import { temporaryFolder } from "../../../../support/images.ts";

const ID = "a".repeat(64);
const DIGEST = `sha256:${"b".repeat(64)}` as const;
const EVIL = `=HYPERLINK("http://x")<script>alert('1')</script>\u001b[2J\u202e&`;

const report = (changes: Partial<RescueReport> = {}): RescueReport => ({
  complete: true,
  dryRun: false,
  verified: true,
  repositories: 3,
  repositoriesWithoutTags: 1,
  tags: 2,
  copied: 1,
  failed: 1,
  layers: 4,
  layerBytes: 2048,
  layersOfUnknownSize: 0,
  images: [
    { source: "v1://old/library/app:1", id: ID, target: "new/app:1", digest: DIGEST, config: DIGEST, bytes: 2048 },
    { source: "v1://old/library/db:2", error: { code: "ERR_REGISTRY", message: EVIL, hint: '@SUM(1), "say"\r\nno' } },
  ],
  ...changes,
});

async function written(ending: string, changes: Partial<RescueReport> = {}): Promise<string> {
  const path = join(await temporaryFolder(), `report.${ending}`);
  await (await rescueReportFile(path, [])).write(report(changes));
  return await readFile(path, "utf8");
}

function isSafe(text: string): boolean {
  return !text.includes("\u001b") && !text.includes("\u202e");
}

describe("the report of a rescue", () => {
  test("as JSON it is what the run found, with its counts, and safe to show", async () => {
    const text = await written("json");
    expect(JSON.parse(text)).toEqual(report());
    expect(text).toSatisfy(isSafe);
  });

  test("as CSV it has a row per tag; no cell is a formula", async () => {
    const rows = csvRows(await written("csv"));
    expect(rows.map(([source, status]) => [source, status])).toEqual([
      ["source", "status"],
      ["v1://old/library/app:1", "copied"],
      ["v1://old/library/db:2", "failed"],
    ]);
    expect(rows[1]?.slice(2, 7)).toEqual([ID, "new/app:1", DIGEST, DIGEST, "2048"]);
    expect(rows[2]?.slice(7)).toEqual(["ERR_REGISTRY", `'${EVIL}`, `'@SUM(1), "say"\r\nno`]);
    for (const start of ["=", "+", "-", "@", "\t", "＝", " ="]) {
      const one = await written("csv", { images: [{ source: `${start}x`, error: { code: "c", message: "m" } }] });
      expect(csvRows(one)[1]?.[0]).toBe(`'${start}x`);
    }
  });

  test("as HTML it is one file without scripts, and nothing in it comes from the registry as markup", async () => {
    const text = await written("html");
    expect(text).toContain("=HYPERLINK(&quot;http://x&quot;)&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;");
    expect(text).toContain('<span class="esc">\\u{1b}</span>[2J');
    expect(text).not.toMatch(/<script|<img|<link|javascript:|url\(["']?http|https?:\/\/(?!x&quot;)/i);
    expect(text).toMatch(/content="default-src &#39;none&#39;; style-src &#39;sha256-[^ ]+&#39;; base-uri/);
    expect(text).toSatisfy(isSafe);
    expect(text).toMatch(/^<!doctype html>\n<html lang="en">/);
    // What a screen reader announces: names of tables, and headers of columns and rows.
    expect(text.match(/<table role="table" class="stack" aria-labelledby="(failed|images)">/g)).toHaveLength(2);
    expect(text.match(/scope="row">/g)).toHaveLength(2);
    expect(text).toContain('<h2 id="failed">Failed: 1</h2>');
    expect(text.indexOf("Failed: 1")).toBeLessThan(text.indexOf("Copied: 1"));
    expect(text).toContain("<li>3 repositories, 1 without tags</li>");
  });

  test("says in each form that a run was interrupted, or only planned", async () => {
    expect(await written("html", { complete: false })).toContain("The run did not reach its end.");
    const images: RescueReport["images"] = [{ source: "v1://old/a:1", id: ID, target: "new/a:1", bytes: 7 }];
    expect(await written("html", { dryRun: true, images })).toContain(">not known yet</td>");
    expect(csvRows(await written("csv", { dryRun: true, images }))[1]?.slice(1, 6)).toEqual([
      "planned",
      ID,
      "new/a:1",
      "",
      "",
    ]);
  });

  test("is refused before the run: another ending, no folder, a folder, a path in what is read", async () => {
    const folder = await temporaryFolder();
    await mkdir(join(folder, "dir.csv"));
    await symlink(folder, join(folder, "link"));
    const at = async (name: string, inputs: readonly string[] = []): Promise<ReportFile<RescueReport>> =>
      await rescueReportFile(join(folder, name), inputs);
    for (const name of ["report.txt", "report", "html"]) await expect(at(name)).rejects.toMatchObject({ exitCode: 2 });
    await expect(at("absent/report.csv")).rejects.toMatchObject({ exitCode: 9 });
    await expect(at("dir.csv")).rejects.toMatchObject({ exitCode: 9 });
    await expect(at("link/report.csv", [folder])).rejects.toMatchObject({ exitCode: 2 });
    expect((await readdir(folder)).toSorted()).toEqual(["dir.csv", "link"]);
  });

  test("replaces the report of an earlier run as a whole, and says if it cannot", async () => {
    const folder = await temporaryFolder();
    const path = join(folder, "report.json");
    await writeFile(path, "old");
    const file = await rescueReportFile(path, []);
    await file.write(report());
    expect(JSON.parse(await readFile(path, "utf8"))).toEqual(report());
    expect(await readdir(folder)).toEqual(["report.json"]);
    const gone = await rescueReportFile(join(folder, "report.csv"), []);
    await mkdir(join(folder, "report.csv"));
    await expect(gone.write(report())).rejects.toMatchObject({ exitCode: 9, message: /^Cannot write --report/ });
  });
});
