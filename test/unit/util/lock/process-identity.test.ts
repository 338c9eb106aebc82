import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { expect, test } from "vitest";
import { isRunning, isSameSystem, ownIdentity } from "../../../../src/util/lock/process-identity.ts";

const telling = existsSync("/proc/sys/kernel/random/boot_id");

test("ownIdentity() names a process that runs, with its namespace", async () => {
  const own = await ownIdentity();
  expect(own.pid).toBe(process.pid);
  expect(own.namespace).toMatch(/^[0-9a-f]{16}$/);
  expect(isSameSystem(own, await ownIdentity())).toBe(true);
  expect(await isRunning(own)).toBe(true);
});

test("isSameSystem() tells containers, boots and systems without a boot id apart", async () => {
  const own = await ownIdentity();
  const boot = "ab".repeat(16);
  expect(isSameSystem({ ...own, namespace: "12".repeat(8) }, own)).toBe(false);
  expect(isSameSystem({ ...own, started: { boot, ticks: 1 } }, { ...own, started: null })).toBe(false);
  expect(isSameSystem({ ...own, started: { boot, ticks: 1 } }, { ...own, started: { boot, ticks: 2 } })).toBe(true);
});

test.runIf(telling)("isRunning() takes a later process with the same pid for another one", async () => {
  const { started, ...own } = await ownIdentity();
  const { boot, ticks } = started ?? { boot: "", ticks: 0 };
  expect(await isRunning({ ...own, started: { boot, ticks: ticks + 1 } })).toBe(false);
  expect(await isRunning({ ...own, started: { boot, ticks: 0 } })).toBe(true);
  expect(await isRunning({ ...own, started: null })).toBe(true);
});

test("isRunning() says no of a process that has ended", async () => {
  const child = spawn(process.execPath, ["--version"], { stdio: "ignore" });
  const pid = child.pid ?? 0;
  await once(child, "exit");
  expect(await isRunning({ ...(await ownIdentity()), pid })).toBe(false);
  expect(await isRunning({ ...(await ownIdentity()), pid, started: null })).toBe(false);
});
