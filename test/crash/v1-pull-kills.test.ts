// A pull from a v1 registry into a file, stopped at every change that it makes on the disk: layers are in their places
// before their digests are known, and move when these change the places.
import { mkdir, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { pull } from "../../src/verbs/pull.ts";
import { seededBytes } from "../support/images.ts";
import { idOf } from "../support/v1/fill-v1.ts";
import { V1Registry } from "../support/v1/v1-registry.ts";
import { withFault } from "./faults.ts";
import { OperationLog } from "./operation-log.ts";
import { scratchFolder } from "./pulling.ts";

const KIB = 1024;
const figures = { kills: 0, faults: 0 };
afterAll(() => console.log(`pull of v1 layers: ${figures.kills} kills and ${figures.faults} full disks`));

/** Layers in KiB, the base first, and what the registry says of them in KiB if it is wrong. */
async function registryOf(layers: readonly (readonly [seed: string, kib: number, stated?: number])[]) {
  const registry = await V1Registry.start({ isReadOnly: true });
  const digits = layers.map((_, index) => String(index + 1));
  for (const [index, [seed, kib, stated]] of layers.entries()) {
    const [id, parent] = [digits[index] ?? "", digits[index - 1]];
    const more = parent === undefined ? {} : { parent: idOf(parent) };
    const image = registry.content.addImage({ id: idOf(id), layer: seededBytes(seed, kib * KIB), ...more });
    if (stated !== undefined) image.statedSize = stated * KIB;
  }
  registry.content.addTag("library/app", "latest", idOf(digits.at(-1) ?? ""));
  return registry;
}

test.each<[string, Parameters<typeof registryOf>[0], boolean]>([
  [
    "layers that stay in their places",
    [
      ["a", 70],
      ["b", 100],
      ["c", 1],
    ],
    true,
  ],
  [
    "equal layers, so that others move down",
    [
      ["a", 70],
      ["b", 200],
      ["b", 200],
      ["c", 90],
    ],
    false,
  ],
  [
    "a layer that is larger than the registry says, so that others move up",
    [
      ["a", 150, 70],
      ["b", 100],
      ["c", 80],
    ],
    true,
  ],
] as const)(
  "a pull that ends at any change of the disk ends the same after one more run: %s",
  { timeout: 120_000 },
  async (_what, layers, isCached) => {
    const registry = await registryOf(layers);
    const folder = await scratchFolder();
    try {
      const work = join(folder, "work");
      const file = join(work, "out.tar");
      const run = async (): Promise<unknown> =>
        await pull([`v1://${registry.host}/app`], {
          output: file,
          ...(isCached ? { cacheDir: join(folder, "cache") } : {}),
        });
      const restart = async (): Promise<void> => {
        for (const name of ["work", "cache"]) await rm(join(folder, name), { recursive: true, force: true });
        await mkdir(work);
      };
      const again = async (where: string, wanted: Buffer): Promise<void> => {
        const final = await readFile(file).catch(() => undefined);
        expect(final === undefined || final.equals(wanted), where).toBe(true);
        await run();
        expect((await readFile(file)).equals(wanted), where).toBe(true);
        expect(await readdir(work), where).toEqual(["out.tar"]);
      };
      await restart();
      const log = new OperationLog();
      await log.record(run);
      const wanted = await readFile(file);
      for (const [at, { kind }] of log.operations.entries()) {
        // A request is tried again later; test/fault and rescue-kills.test.ts stop at requests.
        if (kind === "request" || at % 2 === 1) continue;
        await restart();
        await new OperationLog().record(run, at, at % 4 === 2);
        await again(`killed at ${at}`, wanted);
        figures.kills += 1;
        if (at % 6 !== 0) continue;
        await restart();
        const { error, hit } = await withFault(run, "ENOSPC", at);
        if (hit?.kind === "request") continue;
        if (error !== undefined) expect(error).toMatchObject({ exitCode: 9 });
        await again(`full at ${at}`, wanted);
        figures.faults += 1;
      }
      expect(log.operations.length).toBeGreaterThan(20);
    } finally {
      await rm(folder, { recursive: true });
    }
  },
);
