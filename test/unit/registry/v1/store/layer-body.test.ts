// A layer whose answer says neither its length nor its end: a connection that breaks looks like the end.
import { expect, it } from "vitest";
import { NetworkError } from "../../../../../src/errors.ts";
import { retry } from "../../../../../src/registry/http/retry.ts";
import { type LayerRequest, openLayer } from "../../../../../src/registry/v1/store/layer-body.ts";
import type { V1Call } from "../../../../../src/registry/v1/v1-call.ts";

const CALL: V1Call = { verb: "read", what: "layer", method: "GET", path: "images/x/layer", accept: [200] };
const LAYER = Buffer.from("0123456789");

/** @param ends where each answer ends, the last one for all that follow. */
function requestOf(ends: readonly number[], statedSize: number | undefined, headers = {}): LayerRequest {
  let count = 0;
  return {
    call: CALL,
    where: "old.example/team/app",
    statedSize,
    retrying: async (signal, task) => await retry(task, { signal, sleep: async () => undefined }),
    open: async () => {
      const body = LAYER.subarray(0, ends[Math.min(count, ends.length - 1)]);
      count += 1;
      const response = {
        url: new URL("http://old.example/"),
        status: 200,
        headers,
        body: {
          async *[Symbol.asyncIterator]() {
            yield body;
          },
          dump: async () => undefined,
          destroy: () => undefined,
        },
      };
      return { response, origin: undefined as never };
    },
  };
}

async function read(request: LayerRequest): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const part of (await openLayer(request)).read()) parts.push(part.slice());
  return Buffer.concat(parts).toString();
}

it("a layer that ends before the stated size is read again, and its rest is added", async () => {
  expect(await read(requestOf([4, 7, 10], LAYER.length))).toBe("0123456789");
});

it("a layer that ends at the same byte twice is whole, whatever size is stated", async () => {
  expect(await read(requestOf([10], 5000))).toBe("0123456789");
});

it("a layer in chunks, or without a stated size, ends where it ends", async () => {
  expect(await read(requestOf([10], 5000, { "transfer-encoding": ["chunked"] }))).toBe("0123456789");
  expect(await read(requestOf([10], undefined))).toBe("0123456789");
});

it("a layer of unstated length ends at a limit: one without an end filled the disk of the target", async () => {
  expect(await read({ ...requestOf([10], undefined), maxBytes: 10 })).toBe("0123456789");
  const endless = { ...requestOf([10], 5, { "transfer-encoding": ["chunked"] }), maxBytes: 9 };
  await expect(read(endless)).rejects.toThrow(
    "Cannot read layer from old.example/team/app: found more than 9 bytes, expected at most 9 bytes",
  );
  const stated = { ...requestOf([10], undefined, { "content-length": ["10"] }), maxBytes: 9 };
  expect(await read(stated)).toBe("0123456789");
});

it("a layer that ends elsewhere each time is given up", async () => {
  const ends = Array.from({ length: 1000 }, (_, at) => 1 + (at % 2));
  await expect(read(requestOf(ends, LAYER.length))).rejects.toThrow(NetworkError);
});
