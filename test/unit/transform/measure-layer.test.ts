import { randomBytes } from "node:crypto";
import { gzipSync } from "node:zlib";
import { expect, onTestFinished, test } from "vitest";
import { measureLayer } from "../../../src/transform/measure-layer.ts";
import { sha256Of } from "../../support/memory-blobs.ts";

test("a gzip layer of many parts causes no warning about listeners", async () => {
  const warnings: string[] = [];
  const onWarning = ({ message }: Error): void => void warnings.push(message);
  process.on("warning", onWarning);
  onTestFinished(() => void process.off("warning", onWarning));
  const raw = randomBytes(2 ** 20);
  const stored = gzipSync(raw, { level: 1 });
  async function* parts(): AsyncGenerator<Uint8Array, void> {
    for (let start = 0; start < stored.length; start += 2 ** 15) yield stored.subarray(start, start + 2 ** 15);
  }
  const check = { take: () => undefined, end: () => undefined };
  const options = { what: "layer", check, repack: () => undefined, onStored: () => undefined };
  const stream = await measureLayer(parts(), options);
  for await (const _part of stream.body);
  expect(stream.seal().diffId).toBe(sha256Of(raw));
  // Warnings are emitted in a turn of their own.
  await new Promise(setImmediate);
  expect(warnings).toEqual([]);
});
