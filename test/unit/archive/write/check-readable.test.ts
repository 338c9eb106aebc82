import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { archiveContents } from "../../../../src/archive/write/archive-contents.ts";
import { archiveFileTarget } from "../../../../src/archive/write/archive-file-target.ts";
import { checkReadable } from "../../../../src/archive/write/check-readable.ts";
import { readableLock } from "../../../../src/bundle/lock/readable-lock.ts";
import type { CopyPlan } from "../../../../src/content/contracts.ts";
import { gather } from "../../../../src/copy/gather.ts";
import { parseDockerManifest } from "../../../../src/oci/docker-manifest.ts";
import { parseLayoutIndex } from "../../../../src/oci/layout.ts";
import { MAX_ENTRIES } from "../../../../src/tar/tar-walk.ts";
import { temporaryFolder } from "../../../support/images.ts";
import { addImage, memorySource, settledRoot } from "../../../support/memory-image.ts";

const MIB = 2 ** 20;
const platform = { os: "linux", architecture: "amd64" };
const source = memorySource();
const image = addImage(source, "app");
const empty: CopyPlan = { roots: [], pending: [], blobs: [], manifests: new Map(), totalBytes: 0 };

/** Checks an archive that has one file. */
function check(name: string, size: number, bytes?: Uint8Array): void {
  const file = bytes === undefined ? { name, size, bytes, digest: undefined } : { name, size, bytes };
  checkReadable({ files: [file], names: new Map(), sums: undefined, totalBytes: size }, empty);
}

/** A document with so many bytes. */
function padded(start: string, end: string, bytes: number): Buffer {
  return Buffer.concat([Buffer.from(start), Buffer.alloc(bytes - start.length - end.length, " "), Buffer.from(end)]);
}

const MANIFEST = ['[{"Config":"c","RepoTags":null,"Layers":[]', "}]"] as const;
const INDEX = ['{"schemaVersion":2,"manifests":[]', "}"] as const;
/** With three values more than layers. */
const layers = (count: number): Buffer =>
  Buffer.from(`[{"Config":"c","RepoTags":null,"Layers":[${'"l",'.repeat(count - 1)}"l"]}]`);

describe("checkReadable()", () => {
  test.each([
    ["manifest.json", MANIFEST, parseDockerManifest],
    ["index.json", INDEX, parseLayoutIndex],
  ] as const)(
    "checkReadable() takes as many bytes of %s as its reader, and not one more",
    (name, [start, end], parse) => {
      const [most, more] = [padded(start, end, 20 * MIB), padded(start, end, 20 * MIB + 1)];
      expect(() => parse(most, "test")).not.toThrow();
      expect(() => check(name, most.length, most)).not.toThrow();
      expect(() => parse(more, "test")).toThrow(/20971521 bytes, expected at most 20.0 MiB/);
      expect(() => check(name, more.length, more)).toThrow(
        `Cannot write archive: found ${name} of 20.0 MiB (20971521 bytes), expected at most 20.0 MiB (20971520 bytes)`,
      );
    },
  );

  test("checkReadable() takes as many values of manifest.json as its reader, and not one more", () => {
    // Around the layers: the list, the image, three keys, a name, null and the list of layers.
    const [most, more] = [layers(500_000 - 8), layers(500_000 - 7)];
    expect(() => parseDockerManifest(most, "test")).not.toThrow();
    expect(() => check("manifest.json", most.length, most)).not.toThrow();
    expect(() => parseDockerManifest(more, "test")).toThrow(/too many keys and values/);
    expect(() => check("manifest.json", more.length, more)).toThrow(
      /found manifest.json of more than 500,000 keys and values, expected at most 500,000 keys and values/,
    );
  });

  test.each([
    ["imgpack.json", 128 * MIB],
    ["imgpack/sums", 192 * MIB],
    [`blobs/sha256/${"a".repeat(64)}`, 4 * MIB],
  ])("checkReadable() refuses %s of more than %i bytes", (name, most) => {
    const bytes = name.startsWith("blobs/") ? Buffer.alloc(0) : undefined;
    expect(() => check(name, most, bytes)).not.toThrow();
    expect(() => check(name, most + 1, bytes)).toThrow(/^Cannot write archive: found .* expected at most /);
  });

  test("checkReadable() refuses more files than a reader takes entries, and says what to do", () => {
    const file = { name: "a", size: 0, bytes: undefined, digest: image.digest };
    const contents = { files: Array.from({ length: MAX_ENTRIES }, () => file), names: new Map(), sums: undefined };
    expect(() => checkReadable({ ...contents, totalBytes: 0 }, empty)).toThrow(
      expect.objectContaining({ hint: expect.stringContaining("--volume-size"), exitCode: 3 }),
    );
  });

  test("checkReadable() refuses a config that no reader takes", async () => {
    const plan = await gather(source, [settledRoot(image, "r.lan/app:1")]);
    const contents = archiveContents(plan, { platform });
    expect(() => checkReadable(contents, plan)).not.toThrow();
    const [planned] = plan.manifests.values();
    if (planned?.view.kind !== "image") throw new Error("no image");
    const view = { ...planned.view, config: { ...planned.view.config, size: 8 * MIB + 1 } };
    const manifests = new Map([[image.digest, { ...planned, view }]]);
    expect(() => checkReadable(contents, { ...plan, manifests })).toThrow(/found config sha256:.* at most 8.0 MiB/);
  });

  test("archiveFileTarget() writes nothing of an archive with an index.json that is too large", async () => {
    const folder = await temporaryFolder();
    const annotations = Object.fromEntries(Array.from({ length: 21 }, (_, key) => [`${key}`, "a".repeat(MIB)]));
    const plan = await gather(source, [settledRoot({ ...image, annotations }, "r.lan/app:1")]);
    const target = archiveFileTarget(join(folder, "app.tar"), { platform });
    await expect(target.begin(plan)).rejects.toMatchObject({
      message: expect.stringMatching(/^Cannot write archive: found index.json of /),
      hint: expect.stringContaining("--volume-size"),
    });
    expect(await readdir(folder)).toEqual([]);
  });
});

test("readableLock() refuses a lock that no reader takes", () => {
  expect(readableLock("{}", "lock")).toBe("{}");
  const text = " ".repeat(128 * MIB + 1);
  expect(() => readableLock(text, "lock")).toThrow(/^Cannot write lock: found 128 MiB \(134217729 bytes\)/);
});
