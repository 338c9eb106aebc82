import { spawnSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { layoutFolderTarget } from "../../../../src/archive/write/layout-folder-target.ts";
import { gather } from "../../../../src/copy/gather.ts";
import { StorageError } from "../../../../src/errors.ts";
import { encodeLockRecord, newClaim } from "../../../../src/util/lock/lock-record.ts";
import { breakOff, expectWhole, fetched, platform, scene, write } from "./partial-folder-scene.ts";

describe("PartialFolder and its lock", () => {
  test("PartialFolder stops the second of two runs, and the first continues", async () => {
    const at = await scene();
    const plan = await gather(at.source, [at.root]);
    await using first = await layoutFolderTarget(at.out, { platform }).begin(plan);
    const error = await write(at).catch(fault => fault);
    expect(error).toBeInstanceOf(StorageError);
    expect(error).toMatchObject({
      exitCode: 9,
      message: `Cannot write "${at.out}": process ${process.pid} is writing it, expected no other`,
      hint: expect.any(String),
    });
    for (const blob of plan.blobs) await first.put(blob, await at.source.blob(blob));
    await first.commit([]);
    await first[Symbol.asyncDispose]();
    await expectWhole(at);
  });

  test("PartialFolder has one owner if many start at once, and the owner finishes", async () => {
    const at = await scene();
    const plan = await gather(at.source, [at.root]);
    const runs = await Promise.allSettled(
      Array.from({ length: 8 }, async () => await layoutFolderTarget(at.out, { platform }).begin(plan)),
    );
    const owners = runs.flatMap(run => (run.status === "fulfilled" ? [run.value] : []));
    expect(owners).toHaveLength(1);
    for (const blob of plan.blobs) await owners[0]?.put(blob, await at.source.blob(blob));
    await owners[0]?.commit([]);
    await owners[0]?.[Symbol.asyncDispose]();
    await expectWhole(at);
  });

  test("PartialFolder takes over the lock of a dead process", async () => {
    const at = await scene();
    await breakOff(at);
    const { pid } = spawnSync("true");
    const claim = { ...(await newClaim()), pid, started: { boot: "ab".repeat(16), ticks: 1 } };
    await writeFile(`${at.partial}.lock`, encodeLockRecord(claim), { mode: 0o600 });
    await write(at);
    expect(fetched(at)).toEqual([at.layers[0]]);
    await expectWhole(at);
  });
});
