import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { gzipProfile } from "../../../../../src/compress/gzip/gzip-profile.ts";
import { readBlob } from "../../../../../src/content/pump.ts";
import { ArchiveError, IntegrityError } from "../../../../../src/errors.ts";
import { openV1Folder } from "../../../../../src/registry/v1/folder/open-v1-folder.ts";
import { readV1Image } from "../../../../../src/registry/v1/read-v1-image.ts";
import {
  type MeasuredFacts,
  type MeasuredLayerOptions,
  measuredLayer,
} from "../../../../../src/verbs/v1/reading/measured-layer.ts";
import { v1ImageSource } from "../../../../../src/verbs/v1/reading/v1-image-source.ts";
import { sha256Of } from "../../../../support/memory-blobs.ts";
import { TestV1Folder } from "../../../../support/v1/v1-folder.ts";

const ID = "a".repeat(64);
const fixture = (name: string): Buffer => readFileSync(new URL(`../../../../../fixtures/${name}`, import.meta.url));
const RAW = gunzipSync(fixture("hello.tar.gz"));

interface Measured {
  readonly facts: MeasuredFacts;
  readonly bytes: Buffer;
  /** Read again from a source of known images. */
  readonly again: Buffer;
}

async function measure(
  stored: Buffer,
  options: MeasuredLayerOptions = {},
  checksum: string | undefined = undefined,
): Promise<Measured> {
  await using folder = await TestV1Folder.create();
  await folder.addImage("library/app", "1", "a", [stored]);
  if (checksum !== undefined) await folder.write(`images/${ID}/_checksum`, checksum);
  const session = await (await openV1Folder(folder.path)).open({ namespace: "library", name: "app" });
  const image = await readV1Image(session, "1");
  const [link] = image.chain;
  if (link === undefined) throw new Error("Cannot measure: no layer");
  const layer = measuredLayer(session, link, options);
  const stream = await layer.open();
  const parts: Buffer[] = [];
  for await (const part of stream.body) parts.push(Buffer.from(part));
  expect(stream.seal().descriptor).toEqual(layer.facts().delivered);
  const facts = layer.facts();
  const source = v1ImageSource([{ image, session, names: ["localhost/app:1"] }], new Map([[link.key, facts]]), options);
  const again = await readBlob(await source.blob(facts.delivered), 1_000_000);
  return { facts, bytes: Buffer.concat(parts), again: Buffer.from(again) };
}

describe("measuredLayer()", () => {
  test.each([
    ["tar", RAW],
    ["tar.gzip", fixture("hello.tar.gz")],
    ["tar.xz", fixture("hello.tar.xz")],
    ["tar.bzip2", fixture("hello.tar.bz2")],
    ["tar.zstd", fixture("hello.tar.zst")],
  ])("keeps a layer as stored, and finds its diff_id: %s", async (type, stored) => {
    const { facts, bytes, again } = await measure(stored);
    expect(facts.stored).toMatchObject({ digest: sha256Of(stored), size: stored.length });
    expect(facts.stored.mediaType.endsWith(`.${type}`)).toBe(true);
    expect(facts.diffId).toBe(sha256Of(RAW));
    expect(facts.delivered).toEqual(facts.stored);
    expect(bytes.equals(stored)).toBe(true);
    expect(again.equals(stored)).toBe(true);
  });

  test.each([
    ["raw", RAW],
    ["xz", fixture("hello.tar.xz")],
  ])("compresses a layer again where asked, and makes the same bytes a second time: %s", async (_what, stored) => {
    const { facts, bytes, again } = await measure(stored, { repack: () => gzipProfile() });
    expect(facts.stored.digest).toBe(sha256Of(stored));
    expect(facts.diffId).toBe(sha256Of(RAW));
    expect(facts.delivered).toMatchObject({ digest: sha256Of(bytes), size: bytes.length });
    expect(gunzipSync(bytes).equals(RAW)).toBe(true);
    expect(again.equals(bytes)).toBe(true);
  });

  test("refuses a layer that fits no checksum, unless checksums do not count", async () => {
    const wrong = JSON.stringify([`sha256:${"0".repeat(64)}`, `sha256:${"1".repeat(64)}`]);
    await expect(measure(RAW, {}, wrong)).rejects.toThrow(IntegrityError);
    await expect(measure(RAW, { repack: () => gzipProfile() }, wrong)).rejects.toThrow(IntegrityError);
    const notes: string[] = [];
    const { facts } = await measure(RAW, { noChecksums: true, onNote: note => notes.push(note) }, wrong);
    expect(facts.diffId).toBe(sha256Of(RAW));
    expect(notes.join()).toContain("does not fit its checksum");
    const details: string[] = [];
    await measure(RAW, { onNote: (note, isDetail) => details.push(`${isDetail} ${note}`) }, "tarsum+sha256:1");
    expect(details.join()).toContain("no checksum that can be checked");
  });

  test.each([
    ["cut", fixture("hello.tar.gz").subarray(0, 200)],
    ["cut after its magic", fixture("hello.tar.xz").subarray(0, 8)],
  ])("refuses a compressed layer that is %s", async (_what, stored) => {
    await expect(measure(stored)).rejects.toThrow(ArchiveError);
  });

  test.each([
    ["ends in the middle of a file", RAW.subarray(0, 700), "truncated"],
    ["ends in the middle of a header", RAW.subarray(0, 300), "truncated"],
    ["is the page of a proxy", Buffer.from("<html>".repeat(200)), "not-a-tar"],
  ])("refuses a raw layer that no checksum vouches for, and that %s", async (_what, stored, reason) => {
    await expect(measure(stored, {}, "tarsum+sha256:1")).rejects.toMatchObject({ reason });
    await expect(measure(stored, { repack: () => gzipProfile() }, "tarsum+sha256:1")).rejects.toMatchObject({ reason });
  });

  test("takes a layer without any bytes", async () => {
    expect((await measure(Buffer.alloc(0))).facts.diffId).toBe(sha256Of(Buffer.alloc(0)));
  });
});
