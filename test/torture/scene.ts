import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { pull } from "../../src/index.ts";
import { createTortureCommand, type TortureCommand } from "./command.ts";
import { fileHash } from "./flow.ts";
import { LAYER_BYTES, writeImage } from "./images.ts";
import { startTortureRegistry, type TortureRegistry } from "./registry.ts";

/** A registry that holds an image, archives of it, and what must come out of every transfer. */
export interface TortureScene {
  readonly command: TortureCommand;
  readonly registry: TortureRegistry;
  /** Name of the image in the registry. */
  readonly name: string;
  readonly digest: string;
  /** Raw layers, which a push compresses. */
  readonly rawArchive: string;
  /** Layers as they are in the registry. */
  readonly archive: string;
  /** SHA-256 of `archive`: what every pull from the registry must write. */
  readonly expected: string;
  /** That of a pull by way of another host, whose name is in the archive. */
  expectedFrom(host: string): Promise<string>;
  /** Bytes of all blobs together. */
  readonly blobBytes: number;
  close(): Promise<void>;
}

/** Of an image, at once: archives, storage, and two transfers. */
const COPIES = 6;

/** @param sizes of the layers, in bytes. */
export async function createTortureScene(seed: string, sizes: readonly number[] = LAYER_BYTES): Promise<TortureScene> {
  const command = await createTortureCommand(COPIES * sizes.reduce((sum, size) => sum + size, 0));
  const files = join(command.folder, "files");
  await mkdir(files);
  const registry = await startTortureRegistry(join(command.folder, "store"));
  const name = "app:1";
  const [rawArchive, archive] = [join(files, "raw.tar"), join(files, "out.tar")];
  await writeImage(rawArchive, seed, sizes);
  const digest = await registry.store(rawArchive, name);
  const words = ["pull", `${registry.host}/${name}`, "-o", archive, "--platform", "linux/amd64", "--json"];
  const pulled = await command.run(words, join(command.folder, "home"));
  if (pulled.code !== 0) throw new Error(`Cannot pull the image of the tests: ${pulled.stderr}`);
  return {
    command,
    registry,
    name,
    digest,
    rawArchive,
    archive,
    expected: await fileHash(archive),
    blobBytes: (JSON.parse(pulled.stdout) as { blobBytes: number }).blobBytes,
    async expectedFrom(host) {
      const output = join(files, `${host.replace(":", "-")}.tar`);
      await pull([`${host}/${name}`], { output, platform: ["linux/amd64"] });
      const hash = await fileHash(output);
      await rm(output);
      return hash;
    },
    async close() {
      await registry.close();
      await command.close();
    },
  };
}
