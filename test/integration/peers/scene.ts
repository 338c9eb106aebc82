import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { tarArchive, tarEntry } from "../../support/tar-builder.ts";
import { type DockerRegistry, startDockerRegistry } from "./docker-registry.ts";
import { fixture } from "./goldens.ts";
import { createImgpack, type Imgpack } from "./imgpack.ts";
import { sha256 } from "./registry-content.ts";
import { run } from "./run.ts";

/** A registry that imgpack has filled: hello:latest, base:1.0, app:1.0, multi:1.0, large:1. */
export interface Scene {
  readonly registry: DockerRegistry;
  readonly imgpack: Imgpack;
  readonly large: LargeImage;
  /** A file of the scene's folder. */
  path(name: string): string;
  /** Pulls into a file and gives its path. */
  pulled(file: string, ...args: readonly string[]): Promise<string>;
  close(): Promise<void>;
}

export interface LargeImage {
  readonly imageId: string;
  readonly diffId: string;
}

export async function createScene(): Promise<Scene> {
  const [registry, imgpack] = await Promise.all([startDockerRegistry(), createImgpack()]);
  const path = (name: string): string => join(imgpack.folder, name);
  const close = async (): Promise<void> => {
    await Promise.all([registry.close(), imgpack.close()]);
  };
  try {
    const large = await makeLargeImage(path("large.tar"));
    const files = ["docker20-hello.tar", "docker20-shared.tar", "multi-platform-oci.tar"].map(fixture);
    await imgpack.push([...files, path("large.tar"), "--registry", registry.host]);
    return {
      registry,
      imgpack,
      large,
      path,
      close,
      async pulled(file, ...args) {
        await imgpack.pull([...args, "--output", path(file)]);
        return path(file);
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}

const LARGE_FILE_BYTES = 5 * 1024 * 1024;

/**
 * A docker archive whose single layer is compressed into several gzip members: the fixture's program and a file of
 * 5 MiB that compresses neither well nor badly.
 */
async function makeLargeImage(path: string): Promise<LargeImage> {
  const hello = await extract("*/layer.tar");
  const config = JSON.parse((await extract("*.json", "--exclude=manifest.json")).toString("utf8"));
  const words = Buffer.alloc(LARGE_FILE_BYTES);
  for (let at = 0, seed = 1; at < words.length; at += 4) {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    words.writeUInt32LE(at % 64 < 32 ? seed : at >>> 12, at);
  }
  // The end blocks of the fixture's layer come off: its one entry goes on with another.
  const layer = tarArchive([hello.subarray(0, 1024), tarEntry({ name: "words", body: words })]);
  const diffId = sha256(layer);
  const changed = { ...config, rootfs: { type: "layers", diff_ids: [diffId] }, history: [{ created_by: "words" }] };
  const configBytes = Buffer.from(JSON.stringify(changed));
  const manifest = [{ Config: "config.json", RepoTags: ["large:1"], Layers: ["layer.tar"] }];
  const files = { "config.json": configBytes, "layer.tar": layer, "manifest.json": JSON.stringify(manifest) };
  await writeFile(path, tarArchive(Object.entries(files).map(([name, body]) => tarEntry({ name, body }))));
  return { imageId: sha256(configBytes), diffId };
}

async function extract(pattern: string, ...flags: readonly string[]): Promise<Buffer> {
  const args = ["--extract", "--to-stdout", "--file", fixture("docker20-hello.tar"), "--wildcards", ...flags, pattern];
  const { code, stdoutBytes, stderr } = await run("tar", args);
  if (code !== 0) throw new Error(`tar: ${stderr}`);
  return stdoutBytes;
}
