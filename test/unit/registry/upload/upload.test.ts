import { describe, expect, onTestFinished, test } from "vitest";
import { bytesBlob } from "../../../../src/content/blob.ts";
import type { PendingBody } from "../../../../src/content/contracts.ts";
import { verified } from "../../../../src/content/verified.ts";
import { connectRegistry } from "../../../../src/registry/client/connect-registry.ts";
import { Repository } from "../../../../src/registry/client/repository.ts";
import { mountBlob } from "../../../../src/registry/upload/start-upload.ts";
import { upload } from "../../../../src/registry/upload/upload.ts";
import { blobBody, pendingBody } from "../../../../src/registry/upload/upload-body.ts";
import { seededBytes } from "../../../support/images.ts";
import { sha256 } from "../../../support/memory-registry.ts";
import { type Fault, ScriptedRegistry } from "../../../support/scripted-registry.ts";

const BYTES = seededBytes("blob", 2_500_000);
const DESCRIPTOR = { mediaType: "application/octet-stream", digest: sha256(BYTES), size: BYTES.length };

async function start(...faults: readonly Fault[]): Promise<{ registry: ScriptedRegistry; repository: Repository }> {
  const registry = await ScriptedRegistry.start({ faults });
  const client = await connectRegistry(registry.host, { env: {}, home: "/nonexistent" });
  onTestFinished(async () => await client.transport[Symbol.asyncDispose]());
  return { registry, repository: new Repository(client, "app", "pull,push") };
}

describe("upload()", () => {
  test("upload() needs two requests, and tells the length", async () => {
    const { registry, repository } = await start();
    await upload(repository, blobBody(DESCRIPTOR, bytesBlob(BYTES)));
    expect(registry.requests.map(({ method }) => method)).toEqual(["POST", "PUT"]);
    expect(registry.requests[1]?.headers).toMatchObject({
      "content-length": String(BYTES.length),
      "content-type": "application/octet-stream",
    });
    expect(registry.content.blobs.get(DESCRIPTOR.digest)?.equals(BYTES)).toBe(true);
  });

  test("upload() takes a session that is open already", async () => {
    const { registry, repository } = await start();
    const session = await mountBlob(repository, DESCRIPTOR.digest, "other");
    expect(session).toBeInstanceOf(URL);
    if (session instanceof URL) await upload(repository, blobBody(DESCRIPTOR, bytesBlob(BYTES)), { opened: session });
    expect(registry.requests.map(({ method }) => method)).toEqual(["POST", "PUT"]);
  });

  test("upload() takes an empty blob", async () => {
    const { registry, repository } = await start();
    const empty = Buffer.alloc(0);
    await upload(repository, blobBody({ ...DESCRIPTOR, digest: sha256(empty), size: 0 }, bytesBlob(empty)));
    expect(registry.content.blobs.has(sha256(empty))).toBe(true);
  });

  test("upload() gives no registry a wrong blob whole, and cancels", async () => {
    const { registry, repository } = await start();
    const wrong = Buffer.from(BYTES);
    wrong[0] = (wrong[0] ?? 0) ^ 1;
    const blob = verified(DESCRIPTOR, bytesBlob(wrong), "archive");
    await expect(upload(repository, blobBody(DESCRIPTOR, blob))).rejects.toMatchObject({ code: "ERR_INTEGRITY" });
    expect(registry.seen(/^DELETE /)).toHaveLength(1);
    expect(registry.content.blobs.size).toBe(0);
  });

  test("upload() says so when the answer names no session", async () => {
    const { repository } = await start({ on: /^POST /, reply: { status: 202, headers: {} } });
    await expect(upload(repository, blobBody(DESCRIPTOR, bytesBlob(BYTES)))).rejects.toThrow(
      /: no Location in the answer, expected an upload session$/,
    );
  });

  test.each([405, 416])("upload() sends a small raw layer in chunks where a stream is answered %i", async status => {
    const isStream: Fault["when"] = ({ headers }) => headers["content-range"] === undefined;
    const { registry, repository } = await start({ on: /^PATCH /, when: isStream, times: 9, reply: { status } });
    const layer: PendingBody = {
      key: "pending:layer",
      what: "layer",
      mediaType: DESCRIPTOR.mediaType,
      sourceBytes: BYTES.length,
      open: async () => ({ body: wholeOf(BYTES), seal: () => ({ descriptor: DESCRIPTOR }) }),
    };
    const body = pendingBody(layer);
    await upload(repository, body);
    expect(body.seal().descriptor).toBe(DESCRIPTOR);
    expect(registry.content.blobs.get(DESCRIPTOR.digest)?.equals(BYTES)).toBe(true);
  });
});

async function* wholeOf(bytes: Uint8Array): AsyncGenerator<Uint8Array, void> {
  yield bytes;
}
