import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { ProcessLock } from "../../../../src/util/lock/process-lock.ts";
import { watchOperations } from "../../../../src/util/operation-hook.ts";
import { temporaryFolder } from "../../../support/images.ts";

const isLocalDisk = vi.hoisted(() => vi.fn<() => Promise<boolean>>());
vi.mock("../../../../src/util/lock/local-disk.ts", () => ({ isLocalDisk }));

/** What happens to the file while the lock is claimed, renewed once, and released. */
async function operations(isLocal: boolean): Promise<readonly string[]> {
  isLocalDisk.mockResolvedValue(isLocal);
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  const kinds: string[] = [];
  watchOperations(async ({ kind }, run) => {
    kinds.push(kind);
    return await run();
  });
  onTestFinished(() => {
    watchOperations(undefined);
    vi.useRealTimers();
  });
  const lock = await ProcessLock.claim(join(await temporaryFolder(), "out.lock"), "out");
  vi.advanceTimersByTime(2000);
  await lock.release();
  return kinds;
}

test("a claim and its beats reach the other machines of a network disk at once, out of this one's page cache", async () => {
  expect(await operations(false)).toEqual(["create", "write", "datasync", "write", "datasync", "write"]);
});

test("a claim on a local disk is never synced", async () => {
  expect(await operations(true)).toEqual(["create", "write", "write", "write"]);
});
