import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { expect, test } from "vitest";
import { isRunning, ownIdentity, parseIdentity } from "../../../src/util/process-identity.ts";

const telling = existsSync("/proc/sys/kernel/random/boot_id");

test("ownIdentity() names a process that runs, also after it was written down", async () => {
  const own = await ownIdentity();
  expect(own.pid).toBe(process.pid);
  const read = parseIdentity(JSON.parse(JSON.stringify(own)));
  expect(read).toEqual(own);
  expect(await isRunning(own)).toBe(true);
});

test.runIf(telling)("isRunning() takes a later process with the same pid for another one", async () => {
  const own = await ownIdentity();
  expect(await isRunning({ ...own, started: `${own.started}0` })).toBe(false);
  expect(await isRunning({ ...own, started: null })).toBe(false);
});

test("isRunning() says no of a process that has ended", async () => {
  const child = spawn(process.execPath, ["--version"], { stdio: "ignore" });
  const pid = child.pid ?? 0;
  await once(child, "exit");
  expect(await isRunning({ pid, started: null })).toBe(false);
  expect(await isRunning({ pid, started: "ended" })).toBe(false);
});

test.each([
  undefined,
  null,
  "12",
  {},
  { pid: 12 },
  { pid: 0, started: null },
  { pid: -1, started: null },
  { pid: 1.5, started: null },
  { pid: "12", started: null },
  { pid: 12, started: 7 },
])("parseIdentity() does not take %j", value => {
  expect(parseIdentity(value)).toBeUndefined();
});
