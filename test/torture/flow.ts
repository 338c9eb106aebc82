import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readdir } from "node:fs/promises";
import { basename, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { ensureDir, remove } from "fs-extra/esm";
import { expect } from "vitest";
import type { TortureCommand } from "./command.ts";
import type { TortureRegistry } from "./registry.ts";

/** One transfer that is broken off, any number of times, and finished at last. */
export interface Flow {
  readonly words: readonly string[];
  /** Home of the runs. */
  readonly home: string;
  /** What must hold after any run, however it ended. @returns whether the transfer is complete. */
  checkBetween(): Promise<boolean>;
  /** What must hold after a run that succeeded. */
  checkEnd(): Promise<void>;
  /** Gives the disk space back. */
  remove(): Promise<void>;
}

export interface FlowScene {
  readonly command: TortureCommand;
  readonly registry: TortureRegistry;
  /** What the runs connect to; the registry itself without it. */
  readonly host?: string;
}

let flows = 0;

/** @returns a folder that no other flow has. */
async function newFolder({ command }: FlowScene): Promise<string> {
  flows += 1;
  const folder = join(command.folder, `flow-${flows}`);
  await ensureDir(join(folder, "work"));
  return folder;
}

export interface PullFlow extends Flow {
  /** Where nothing but the archive, or its partial, ever stands. */
  readonly folder: string;
}

/** @param expected SHA-256 of the archive that an undisturbed run writes. */
export async function pullFlow(
  scene: FlowScene,
  name: string,
  expected: string,
  flags: readonly string[] = [],
): Promise<PullFlow> {
  const base = await newFolder(scene);
  const folder = join(base, "work");
  const output = join(folder, "out.tar");
  const { host = scene.registry.host } = scene;
  return {
    folder,
    home: join(base, "home"),
    words: ["pull", `${host}/${name}`, "-o", output, "--platform", "linux/amd64", ...flags],
    async checkBetween() {
      const names = await readdir(folder);
      const known = ["out.tar", "out.tar.partial", "out.tar.partial.journal"];
      expect(names.filter(found => !known.includes(found))).toEqual([]);
      if (names.includes("out.tar")) expect(await fileHash(output)).toBe(expected);
      return names.join() === "out.tar";
    },
    async checkEnd() {
      expect(await readdir(folder)).toEqual(["out.tar"]);
      expect(await fileHash(output)).toBe(expected);
    },
    remove: async () => await remove(base),
  };
}

/** SHA-256 in hex. */
export async function fileHash(path: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path, { highWaterMark: 1024 * 1024 }), hash);
  return hash.digest("hex");
}

export interface PushFlow extends Flow {
  readonly repository: string;
}

/** Pushes into a repository of its own. @param expected digest of the manifest. */
export async function pushFlow(
  scene: FlowScene,
  archive: string,
  expected: string,
  flags: readonly string[] = [],
): Promise<PushFlow> {
  const base = await newFolder(scene);
  const repository = `pushed/${basename(base)}`;
  const { registry, host = registry.host } = scene;
  return {
    repository,
    home: join(base, "home"),
    words: ["push", archive, "--tag", `${host}/${repository}:1`, ...flags],
    async checkBetween() {
      expect(await registry.incomplete(repository)).toEqual([]);
      const tagged = await registry.tagged(repository, "1");
      expect([undefined, expected]).toContain(tagged);
      return tagged !== undefined;
    },
    async checkEnd() {
      expect(await registry.incomplete(repository)).toEqual([]);
      expect(await registry.tagged(repository, "1")).toBe(expected);
    },
    remove: async () => await remove(base),
  };
}
