import { once } from "node:events";
import { Socket } from "node:net";
import { expect, onTestFinished, test, vi } from "vitest";
import { ClientGoneError } from "../../../src/serve/content/client-gone-error.ts";
import { startedBlob } from "../../../src/serve/sending/started-blob.ts";
import type { ServeEvent } from "../../../src/serve/serve-event.ts";
import { DiskFile } from "../../../src/util/disk.ts";
import { deferred } from "../../../src/util/promises.ts";
import { digestOf, pushBlob, send, start } from "./registry-client.ts";

test("a client that goes away while its blob is hashed is a client that is gone, and no fault of the server", async () => {
  const socket = new Socket();
  const blob = {
    digest: digestOf("blob"),
    size: 4,
    async *chunks(_: object, signal = new AbortController().signal) {
      socket.destroy();
      await once(signal, "abort");
      signal.throwIfAborted();
      yield Buffer.alloc(4);
    },
    close: async () => undefined,
  };
  await expect(startedBlob(blob, { start: 0, end: 1 }, socket)).rejects.toBeInstanceOf(ClientGoneError);
});

test("what fails in the middle of a transfer is a fault in the log, not only a cut answer", async () => {
  const events: ServeEvent[] = [];
  const cut = deferred<void>();
  const onEvent = (event: ServeEvent): void => {
    events.push(event);
    if (event.kind === "request" && event.isCut) cut.resolve();
  };
  const registry = await start({ onEvent });
  // Three chunks, in one piece.
  const digest = await pushBlob(registry, "app", Buffer.alloc(600_000, "blob"));
  events.length = 0;
  const error = Object.assign(new Error("too many open files"), { code: "EMFILE" });
  const { read } = DiskFile.prototype;
  let reads = 0;
  vi.spyOn(DiskFile.prototype, "read").mockImplementation(async function (this: DiskFile, into, position) {
    reads += 1;
    // All was hashed in one read, and the first chunk was read again and sent.
    if (reads === 3) throw error;
    return await read.call(this, into, position);
  });
  onTestFinished(() => void vi.restoreAllMocks());
  const path = `/v2/app/blobs/${digest}`;
  await expect(send(registry, "GET", path)).rejects.toMatchObject({ code: "ECONNRESET" });
  await cut.promise;
  expect(events).toEqual([
    { kind: "fault", method: "GET", path, error },
    expect.objectContaining({ kind: "request", status: 200, isCut: true }),
  ]);
});
