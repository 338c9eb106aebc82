import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { serve } from "../../../src/index.ts";
import { SHELL_COMMAND } from "../../support/command.ts";
import { seededBytes } from "../../support/images.ts";
import { layoutArchive } from "../../support/layout-archives.ts";
import { tarArchive, tarEntry } from "../../support/tar-builder.ts";
import { type CountingFront, startCountingFront } from "./counting-front.ts";
import { createImgpack, type Imgpack } from "./imgpack.ts";
import { heldManifest } from "./registry-content.ts";
import { type RunResult, run } from "./run.ts";

const IMAGES = 40;
/** Images of a group share a layer that is larger than their own. */
const GROUPS = 10;

/** Images that several machines copy or push, as docs/MANY-MACHINES.md has it: `site.tar`, `site.lock`. */
export interface ShardSite {
  readonly imgpack: Imgpack;
  readonly images: readonly SiteImage[];
  /** What the shell of a command gets. */
  readonly env: Readonly<Record<string, string>>;
  /** Lines of the page, in the folder, with the target in place of its registry. */
  sh(lines: string, target: Target, env?: Readonly<Record<string, string>>): Promise<RunResult>;
  /** An empty registry. */
  createTarget(): Promise<Target>;
  close(): Promise<void>;
}

export interface SiteImage {
  /** `team/app-0` */
  readonly repository: string;
  readonly digest: string;
  /** Config and layers. */
  readonly blobs: readonly string[];
  /** The layer that no other image has. */
  readonly own: string;
}

export interface Target extends CountingFront {
  readonly url: string;
}

export async function createShardSite(): Promise<ShardSite> {
  const imgpack = await createImgpack();
  const path = (name: string): string => join(imgpack.folder, name);
  const closers: (() => Promise<void>)[] = [() => imgpack.close()];
  const close = async (): Promise<void> => {
    for (const end of closers.reverse()) await end();
  };
  try {
    const { bytes, images } = siteArchive();
    await writeFile(path("site.tar"), bytes);
    const source = await serve({ archives: path("site.tar") });
    closers.push(() => source.close());
    const { host } = new URL(source.url);
    const list = images.map(({ repository }) => `${host}/${repository}:1\n`).join("");
    const { code, stderr } = await imgpack.run(["lock", "-f", "-", "-o", path("site.lock")], { input: list });
    if (code !== 0) throw new Error(stderr);
    await writeFile(path("imgpack"), `#!/bin/sh\nexec ${SHELL_COMMAND} "$@"\n`);
    await chmod(path("imgpack"), 0o755);
    // One cache folder for all runs, as in a home folder on a shared disk.
    const env = {
      PATH: `${imgpack.folder}:${process.env["PATH"]}`,
      IMGPACK_CACHE_DIR: path("cache"),
      DOCKER_CONFIG: path("docker-config"),
    };
    return {
      imgpack,
      images,
      env,
      sh: async (lines, target, more) =>
        await run("sh", ["-ec", lines.replaceAll("registry.inside:5000", target.host)], {
          cwd: imgpack.folder,
          env: { ...env, ...more },
        }),
      async createTarget() {
        const registry = await serve({ store: path(`store-${closers.length}`) });
        closers.push(() => registry.close());
        const front = await startCountingFront(new URL(registry.url).host);
        closers.push(() => front.close());
        return { ...front, url: registry.url };
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

function siteArchive(): { readonly bytes: Uint8Array; readonly images: readonly SiteImage[] } {
  const layer = (name: string, size: number): Uint8Array =>
    tarArchive([tarEntry({ name, body: seededBytes(name, size) })]);
  const common = layer("common", 20_000);
  const bases = Array.from({ length: GROUPS }, (_, group) => layer(`base-${group}`, 200_000));
  const repositories = Array.from({ length: IMAGES }, (_, number) => `team/app-${number}`);
  const {
    bytes,
    blobs: content,
    manifests,
  } = layoutArchive(
    repositories.map((repository, number) => {
      const inflated = [common, bases[number % GROUPS] ?? common, layer(repository, 30_000)];
      const layers = inflated.map(plain => gzipSync(plain, { level: 1 }));
      return { names: [`registry.lan:5000/${repository}:1`], layers, inflated };
    }),
  );
  const images = manifests.map((digest, number) => {
    const { config, layers } = JSON.parse(Buffer.from(content.get(digest) ?? []).toString("utf8"));
    const blobs: string[] = [config, ...layers].map(({ digest: blob }) => blob);
    return { repository: repositories[number] ?? "", digest, blobs, own: blobs.at(-1) ?? "" };
  });
  return { bytes, images };
}

/** The images that a run has printed, or that a dry run would send. */
export function imagesIn({ images }: Pick<ShardSite, "images">, output: string): readonly SiteImage[] {
  return images.filter(({ repository }) => new RegExp(`/${repository}:1(?:@|$)`, "m").test(output));
}

/** Images that the target does not have as they are in the archive. */
export async function missingImages(
  { images }: ShardSite,
  { url }: Target,
  prefix: string,
): Promise<readonly string[]> {
  const held = await Promise.all(
    images.map(({ repository }) => heldManifest(url, `${prefix}/${repository}`, "1").catch(() => undefined)),
  );
  return images.flatMap(({ repository, digest }, index) => (held[index]?.digest === digest ? [] : [repository]));
}

/**
 * Blobs that the target took more often than there are runs that had to send them. A run that is killed may have sent a blob
 * of several images to the repository of one, and not yet remembered it: the next run sends it to that of another one.
 *
 * @param outputs what the runs of each shard have printed
 * @param restarts of each shard
 */
export function repeatedBlobs(
  site: Pick<ShardSite, "images">,
  { uploads }: Target,
  outputs: readonly string[],
  restarts: readonly number[],
): readonly string[] {
  const own = new Set(site.images.map(image => image.own));
  const needs = new Map<string, number>();
  for (const [shard, output] of outputs.entries()) {
    const blobs = new Set(imagesIn(site, output).flatMap(image => image.blobs));
    for (const digest of blobs) {
      const again = own.has(digest) ? 0 : (restarts[shard] ?? 0);
      needs.set(digest, (needs.get(digest) ?? 0) + 1 + again);
    }
  }
  return [...uploads].flatMap(([digest, count]) =>
    count > (needs.get(digest) ?? 0) ? [`${digest}: ${count} times, ${needs.get(digest)} expected`] : [],
  );
}
