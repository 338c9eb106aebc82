import { readdir } from "node:fs/promises";
import { IncomingMessage } from "node:http";
import { Socket } from "node:net";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { RegistryFolder } from "../../../src/serve/folder/registry-folder.ts";
import { UploadTable } from "../../../src/serve/uploads/upload-table.ts";
import { handClock, makeFolder } from "./registry-client.ts";

const LIMIT = 8;
const HOUR_MS = 60 * 60 * 1000;

async function openTable(): Promise<{
  table: UploadTable;
  clock: ReturnType<typeof handClock>;
  files(): Promise<number>;
}> {
  const folder = await makeFolder();
  const store = await RegistryFolder.open(folder, () => undefined);
  onTestFinished(async () => await store.close());
  const clock = handClock();
  const files = async (): Promise<number> => (await readdir(join(folder, "uploads"))).length;
  return { table: new UploadTable(store, clock.now, LIMIT), clock, files };
}

test("abandoned uploads give their disk space back after an hour, those in use do not", async () => {
  const { table, clock, files } = await openTable();
  const [used, inUse] = [await table.create("app", "sha256"), await table.create("app", "sha256")];
  await table.create("app", "sha256");
  const request = new IncomingMessage(new Socket());
  await table.change(inUse.id, "app", request, async () => {
    clock.pass(HOUR_MS - 1);
    table.get(used.id, "app");
    clock.pass(1);
    await table.sweep();
    expect(await files()).toBe(2);
  });
  clock.pass(HOUR_MS);
  await table.sweep();
  expect(await files()).toBe(0);
});

test("abandoned uploads up to the limit never block a push: the oldest empty one ends", async () => {
  const { table, clock, files } = await openTable();
  const withBytes = await table.create("app", "sha256");
  withBytes.size = 1;
  const oldest = await table.create("app", "sha256");
  clock.pass(1);
  for (let count = 2; count < LIMIT; count += 1) await table.create("app", "sha256");
  const next = await table.create("app", "sha256");
  expect(table.get(next.id, "app")).toBe(next);
  expect(table.get(withBytes.id, "app")).toBe(withBytes);
  expect(() => table.get(oldest.id, "app")).toThrow("no such upload");
  expect(await files()).toBe(LIMIT);
});
