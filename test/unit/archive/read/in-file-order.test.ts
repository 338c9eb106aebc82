import { expect, test } from "vitest";
import { inFileOrder } from "../../../../src/archive/read/in-file-order.ts";
import type { TarEntry } from "../../../../src/tar/tar-entry.ts";

const entry = (name: string, bodyOffset: number): TarEntry => ({ name, type: "file", bodyOffset, size: 1 });
const entries = [entry("late", 900), entry("early", 100), entry("middle", 500)];

test("inFileOrder() reads by position, gives results by the order of the items, and keeps errors for who asks", async () => {
  const order: string[] = [];
  const read = async ({ name }: TarEntry): Promise<string> => {
    order.push(name);
    if (name === "early") throw new Error("Cannot read early");
    return name.toUpperCase();
  };
  const [late, early, middle] = await inFileOrder(entries, one => one, read, undefined);
  expect(order).toEqual(["early", "middle", "late"]);
  expect([late?.(), middle?.()]).toEqual(["LATE", "MIDDLE"]);
  expect(() => early?.()).toThrow("Cannot read early");
});

test("inFileOrder() ends with its signal", async () => {
  const stop = new AbortController();
  const read = async ({ name }: TarEntry): Promise<string> => {
    stop.abort(new Error("stopped"));
    return name;
  };
  await expect(inFileOrder(entries, one => one, read, stop.signal)).rejects.toThrow("stopped");
});
