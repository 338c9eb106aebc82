import { expect, test } from "vitest";
import { bytesBlob } from "../../../src/content/blob.ts";
import type { BlobSource } from "../../../src/content/contracts.ts";
import { countedBlob } from "../../../src/copy/copy-ends.ts";

const KIB = 1024;

test("bytes that come or go while a chunk takes long are counted at once, and once", async () => {
  let nowMs = 0;
  const counted: number[] = [];
  let onCome: (bytes: number) => void = () => undefined;
  const watched: BlobSource = {
    ...bytesBlob(new Uint8Array(300 * KIB)),
    watch(listener) {
      onCome = listener;
    },
    async pump(sink) {
      for (const bytes of [16, 32, 48, 64]) {
        nowMs += 80;
        onCome(bytes * KIB);
      }
      await sink(new Uint8Array(300 * KIB), 0);
    },
  };
  const blob = countedBlob(
    watched,
    delta => void counted.push(delta / KIB),
    watched,
    () => nowMs,
  );
  await blob.pump?.(async () => {
    // They are sent more slowly than they came.
    nowMs += 500;
    blob.onSent?.(32 * KIB);
    nowMs += 500;
    blob.onSent?.(128 * KIB);
  });
  expect(counted).toEqual([32, 32, 64, 172]);
});

test("chunks that are quick are counted as a whole", async () => {
  const counted: number[] = [];
  let onCome: (bytes: number) => void = () => undefined;
  const watched: BlobSource = {
    ...bytesBlob(new Uint8Array(64 * KIB)),
    watch(listener) {
      onCome = listener;
    },
    async pump(sink) {
      for (const bytes of [16, 32, 48, 64]) onCome(bytes * KIB);
      await sink(new Uint8Array(64 * KIB), 0);
    },
  };
  await countedBlob(
    watched,
    delta => void counted.push(delta / KIB),
    watched,
    () => 0,
  ).pump?.(async () => undefined);
  expect(counted).toEqual([64]);
});
