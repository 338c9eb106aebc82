import { describe, expect, test } from "vitest";
import type { TransferReport } from "../../../../../src/serve/page/report/transfer-report.ts";
import { styleSource } from "../../../../../src/serve/page/style/stylesheet.ts";
import { csvRows } from "../../../../support/csv-rows.ts";
import { fetchJson, fetchPage, MemoryServed, memorySite } from "../memory-served.ts";

function twoImages(): MemoryServed {
  const registry = new MemoryServed();
  registry.image("registry.example/team/app", "1.0");
  registry.image("registry.example/team/db", "2.0");
  return registry;
}

describe("/report of a server", () => {
  test("is a page of the server, whose policy allows its two stylesheets and no other", async () => {
    const { status, text, headers } = await fetchPage(memorySite(twoImages()), "/report");
    expect(status).toBe(200);
    const styles = [...text.matchAll(/<style>(.*?)<\/style>/gs)].map(([, style = ""]) => styleSource(style));
    expect(styles).toHaveLength(2);
    expect(headers["content-security-policy"]).toContain(`style-src ${styles.join(" ")};`);
    expect(text).toContain('<a href="/report" aria-current="page">Report</a>');
    expect(text).toContain("Released by (transfer desk)");
  });

  test("gives programs the report, at /report and as files", async () => {
    const site = memorySite(twoImages());
    const report = await fetchJson<TransferReport>(site, "/report");
    expect(report).toMatchObject({ kind: "transfer-report", compared: false, counts: { images: 2 } });
    const json = await fetchPage(site, "/report.json");
    expect(JSON.parse(json.text)).toEqual(report);
    const csv = await fetchPage(site, "/report.csv");
    expect(csvRows(csv.text)).toHaveLength(1 + 2);
    expect(csv.headers).toMatchObject({
      "content-type": "text/csv; charset=utf-8",
      "content-disposition": 'attachment; filename="transfer.csv"',
    });
  });

  test("of a store has no boxes about files, which it has not, and does not call itself a bundle", async () => {
    const { text } = await fetchPage(memorySite(twoImages()), "/report");
    expect(text).not.toMatch(/0 files|sha256 of each file|this bundle/);
    expect(text).toContain("in this store");
    expect(text).toContain("The list of 2 images was read and approved");
  });

  test("is read once for all who ask at the same time", async () => {
    const reads = async (requests: number): Promise<number> => {
      const registry = twoImages();
      const site = memorySite(registry);
      await Promise.all(Array.from({ length: requests }, async () => await fetchPage(site, "/report")));
      return registry.reads;
    };
    expect(await reads(5)).toBe(await reads(1));
  });

  test("is read again only after something has changed", async () => {
    const registry = twoImages();
    const site = memorySite(registry);
    await fetchPage(site, "/report");
    const { reads } = registry;
    await fetchPage(site, "/report.csv");
    expect(registry.reads).toBe(reads);
    registry.image("registry.example/team/new", "1.0");
    registry.generation += 1;
    expect((await fetchJson<TransferReport>(site, "/report")).counts.images).toBe(3);
  });
});
