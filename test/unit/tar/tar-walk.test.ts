import { expect, test } from "vitest";
import { TarWalk } from "../../../src/tar/tar-walk.ts";
import { paxEntry, tarArchive, tarEntry } from "../../support/tar-builder.ts";

const what = "the stream";

test("TarWalk asks for headers, extension bodies and zeros, and steps over file bodies", () => {
  const bytes = tarArchive([paxEntry({ path: "long" }), tarEntry({ name: "cut", body: "x".repeat(600) })], 4);
  const walk = new TarWalk({ what });
  const steps: string[] = [];
  while (walk.position < bytes.length) {
    const { kind, bytes: wanted } = walk.demand;
    const { position } = walk;
    const entry = walk.push(bytes.subarray(position, position + (wanted || 100)));
    steps.push(`${kind} ${position}${entry === undefined ? "" : ` ${entry.name} ${entry.bodyOffset}+${entry.size}`}`);
  }
  walk.end(bytes.length);
  expect(steps.slice(0, 6)).toEqual([
    "header 0",
    "meta 512",
    "header 1024 long 1536+600",
    "header 2560",
    "header 3072",
    "zeros 3584",
  ]);
  expect(walk.warnings).toEqual([]);
});

test("TarWalk without a known size names the entry in which a stream broke off", () => {
  const bytes = tarEntry({ name: "layer.tar", size: 5000 });
  const walk = new TarWalk({ what });
  expect(walk.push(bytes)?.name).toBe("layer.tar");
  expect(() => walk.end(1000)).toThrow(
    'Cannot read entry "layer.tar" at byte 0 from the stream: file ends at byte 1000, expected 5632',
  );
});

test("TarWalk refuses an end inside an extension", () => {
  const bytes = paxEntry({ path: "long" });
  const walk = new TarWalk({ what });
  walk.push(bytes.subarray(0, 512));
  expect(() => walk.end(520)).toThrow(/at byte 0 from the stream: file ends at byte 520, expected at least 525/);
  walk.push(bytes.subarray(512, 512 + walk.demand.bytes));
  expect(() => walk.end(1024)).toThrow(/at byte 0 from the stream: file ends at byte 1024/);
});
