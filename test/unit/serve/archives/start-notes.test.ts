import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { ImageArchive } from "../../../../src/archive/archive-source.ts";
import { OCI_MANIFEST } from "../../../../src/oci/media-types.ts";
import { startNotes } from "../../../../src/serve/archives/start-notes.ts";
import { startArchives } from "../archive-registry.ts";
import { digestOf, makeFolder } from "../registry-client.ts";

test("an image whose media type is none of a manifest is noted at the start: its tag is 404", () => {
  const images = [OCI_MANIFEST, "application/vnd.example+json", "text/html"].map((mediaType, index) => ({
    kind: "settled",
    names: [`e.example/${index}:1`],
    descriptor: { mediaType, digest: digestOf(mediaType), size: 1 },
  }));
  const archive = { images, absent: [], volumes: undefined, what: "archive" } as unknown as ImageArchive;
  expect(startNotes(archive)).toEqual([
    '1 image cannot be pulled, because no manifest has such a media type ("e.example/2:1")',
  ]);
});

test.skipIf(process.platform === "win32")("a pipe that nobody writes to is refused, and does not wait", async () => {
  const path = join(await makeFolder(), "pipe");
  execFileSync("mkfifo", [path]);
  await expect(startArchives([path])).rejects.toMatchObject({
    message: expect.stringMatching(
      /^Cannot read archive ".*pipe" at any position: a pipe, expected a plain tar or a folder/,
    ),
  });
});
