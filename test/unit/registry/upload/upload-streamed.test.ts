import { describe, expect, onTestFinished, test } from "vitest";
import { bytesBlob } from "../../../../src/content/blob.ts";
import { connectRegistry } from "../../../../src/registry/client/connect-registry.ts";
import { Repository } from "../../../../src/registry/client/repository.ts";
import { upload as sendBlob } from "../../../../src/registry/upload/upload.ts";
import { blobBody } from "../../../../src/registry/upload/upload-body.ts";
import { UploadJournal } from "../../../../src/registry/upload/upload-journal.ts";
import { seededBytes, temporaryFolder } from "../../../support/images.ts";
import { KeepingRegistry } from "../../../support/keeping-registry.ts";
import { sha256 } from "../../../support/memory-registry.ts";

const MIB = 1024 * 1024;
const BYTES = seededBytes("pieces", 5 * MIB);
const DESCRIPTOR = { mediaType: "x/y", digest: sha256(BYTES), size: BYTES.length };

/** One run: a client of its own. */
async function upload(registry: KeepingRegistry, cacheFolder: string): Promise<void> {
  const client = await connectRegistry(registry.host, { env: {}, home: "/nonexistent", attempts: 1 });
  onTestFinished(async () => await client.transport[Symbol.asyncDispose]());
  const journal = new UploadJournal(cacheFolder, { minBytes: MIB, pieceBytes: 2 * MIB });
  const repository = new Repository(client, "app", "pull,push");
  await sendBlob(repository, blobBody(DESCRIPTOR, bytesBlob(BYTES)), { journal });
}

function sizes(registry: KeepingRegistry, pattern: RegExp): readonly number[] {
  return registry.seen(pattern).map(({ bytes }) => bytes);
}

describe("uploadStreamed()", () => {
  test("uploadStreamed() sends distribution a blob in pieces, each of them acknowledged", async () => {
    const registry = await KeepingRegistry.start({ isDistribution: true });
    await upload(registry, await temporaryFolder());
    expect(registry.requests.map(({ method }) => method)).toEqual(["POST", "PATCH", "PATCH", "PATCH", "PUT"]);
    expect(sizes(registry, /^PATCH/)).toEqual([2 * MIB, 2 * MIB, MIB]);
    expect(registry.seen(/^PATCH/).map(({ range }) => range)).toEqual([undefined, undefined, undefined]);
    expect(registry.content.blobs.get(DESCRIPTOR.digest)?.equals(BYTES)).toBe(true);
  });

  test("uploadStreamed() resumes after the last piece that was acknowledged", async () => {
    const registry = await KeepingRegistry.start({ isDistribution: true });
    const cacheFolder = await temporaryFolder();
    registry.leaveAfter(4 * MIB);
    await expect(upload(registry, cacheFolder)).rejects.toMatchObject({ code: "ERR_NETWORK" });
    // Nothing of the second piece had come through: a proxy had kept it back.
    registry.forgetBehind(2 * MIB);
    registry.comeBack();
    await upload(registry, cacheFolder);
    expect(registry.requests.map(({ method }) => method)).toEqual(["GET", "PATCH", "PATCH", "PUT"]);
    expect(sizes(registry, /^PATCH/)).toEqual([2 * MIB, MIB]);
    expect(registry.content.blobs.get(DESCRIPTOR.digest)?.equals(BYTES)).toBe(true);
  });

  test("uploadStreamed() sends others one stream, without Content-Range", async () => {
    const registry = await KeepingRegistry.start();
    await upload(registry, await temporaryFolder());
    expect(registry.requests.map(({ method }) => method)).toEqual(["POST", "PATCH", "PUT"]);
    expect(registry.seen(/^PATCH/)).toMatchObject([{ bytes: BYTES.length, range: undefined }]);
  });

  test("uploadStreamed() takes a single PUT where PATCH is refused, and keeps no record of that", async () => {
    const registry = await KeepingRegistry.start();
    const cacheFolder = await temporaryFolder();
    registry.refusal = { on: /^PATCH/, status: 405 };
    await upload(registry, cacheFolder);
    expect(sizes(registry, /^PUT/)).toEqual([BYTES.length]);
    expect(registry.openSessions).toBe(0);
  });
});
