import { describe, expect, test } from "vitest";
import { TarWalk } from "../../src/tar/tar-walk.ts";
import { paxEntry, tarArchive, tarEntry } from "../support/tar-builder.ts";

describe("tar damage", () => {
  const bodies = [900, 0, 512, 1500, 1].map((size, at) => Buffer.alloc(size, 65 + at));
  const entries = bodies.map((body, at) => tarEntry({ name: `blobs/${at}`, body }));
  const image = Buffer.from(
    tarArchive([...entries, paxEntry({ mtime: "1.5" }), tarEntry({ name: "last", body: "z" })]),
  );

  test("T-04 the walk's position only grows (CVE-2026-59874)", () => {
    const walk = new TarWalk({ what: "the archive" });
    let before = -1;
    while (walk.demand.kind !== "zeros") {
      expect(walk.position).toBeGreaterThan(before);
      before = walk.position;
      walk.push(image.subarray(walk.position, walk.position + walk.demand.bytes));
    }
    expect(walk.entries.size).toBe(6);
  });

  test("T-24 entries, implied folders and repeated headers are bounded", () => {
    const push = (walk: TarWalk, name: string, type = "0"): unknown => walk.push(tarEntry({ name, type }));
    const flat = new TarWalk({ what: "the archive", maxEntries: 3 });
    for (const name of ["a", "b", "c"]) push(flat, name);
    expect(() => push(flat, "d")).toThrow(/at byte 2048 from the archive: more than 3 entries, expected at most 3/);
    const deep = new TarWalk({ what: "the archive", maxEntries: 3 });
    push(deep, "a/b/c/d/e/f");
    expect(() => push(deep, "g")).toThrow(/more than 6 entries and folders/);
    const repeated = new TarWalk({ what: "the archive", maxEntries: 3 });
    for (let count = 0; count < 12; count += 1) push(repeated, "d/", "5");
    expect(() => push(repeated, "d/", "5")).toThrow(/more than 12 headers/);
  });
});
