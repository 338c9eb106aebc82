import { expect, test } from "vitest";
import { archiveOf, imageWith, type Part, pushBytes, refused } from "./t-image.ts";

test.each<[Part, number]>([
  ["manifest.json", 20 * 1024 * 1024],
  ["index.json", 20 * 1024 * 1024],
])("M-09 a %s over %i bytes is refused as too-large (CVE-2020-1702, CVE-2024-29902)", async (part, limit) => {
  const padded = (bytes: number) => (text: string) => text + " ".repeat(bytes - text.length);
  expect(await pushBytes(archiveOf(imageWith({ [part]: padded(limit + 1) })))).toEqual(refused("too-large"));
  expect(await pushBytes(archiveOf(imageWith({ [part]: padded(limit) })))).toMatchObject({ reason: "pushed" });
});
