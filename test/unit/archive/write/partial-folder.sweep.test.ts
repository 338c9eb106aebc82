import { existsSync } from "node:fs";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, onTestFinished, test } from "vitest";
import { StorageError } from "../../../../src/errors.ts";
import { watchOperations } from "../../../../src/util/operation-hook.ts";
import { expectWhole, scene, write } from "./partial-folder-scene.ts";

describe("PartialFolder, every operation failing", () => {
  afterEach(() => watchOperations(undefined));

  // Hundreds of runs, each of which syncs every file: in memory, where there is such a place.
  const fast = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();
  const ways: readonly (readonly [string, boolean, boolean, string])[] = [
    ["fails once", false, false, "EIO"],
    ["finds a full disk", true, false, "ENOSPC"],
    ["is the last one, as after a kill", true, true, "EDEAD"],
  ];
  test.each(ways)(
    "PartialFolder is whole after the next run when an operation %s",
    async (_what, isLasting, isTorn, code) => {
      const kinds = new Set<string>();
      let runs = 0;
      for (let fatal = 1; ; fatal += 1) {
        const above = await mkdtemp(join(fast, "imgpack-sweep-"));
        onTestFinished(async () => await rm(above, { recursive: true, force: true }));
        const at = await scene(above);
        let count = 0;
        watchOperations(async (operation, run) => {
          count += 1;
          kinds.add(operation.kind);
          if (count < fatal || (count > fatal && !isLasting)) return await run();
          // A kill may come in the middle of a write.
          if (isTorn && count === fatal && operation.bytes !== undefined) {
            await run(operation.bytes.subarray(0, Math.ceil(operation.bytes.length / 2)));
          }
          throw Object.assign(new Error(code), { code, syscall: operation.kind });
        });
        const failed = await write(at).then(
          () => undefined,
          (error: unknown) => error,
        );
        watchOperations(undefined);
        if (count < fatal) break;
        runs += 1;
        const isNamed = (await readdir(at.above)).includes("out");
        if (!isNamed) {
          expect(failed).toBeInstanceOf(StorageError);
          await write(at);
        } else await rm(`${at.partial}.lock`, { force: true });
        await expectWhole(at);
      }
      expect([...kinds].toSorted()).toEqual(
        ["create", "make-folder", "remove", "rename", "sync", "sync-folder", "truncate", "write"].toSorted(),
      );
      expect(runs).toBeGreaterThan(40);
    },
  );
});
