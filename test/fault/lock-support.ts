import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { openArchive } from "../../src/archive/open-archive.ts";
import type { Lock } from "../../src/bundle/lock/lock.ts";
import { parseLock } from "../../src/bundle/lock/parse-lock.ts";
import { readBlob } from "../../src/content/pump.ts";
import { OCI_CONFIG, OCI_INDEX, OCI_LAYER_GZIP, OCI_MANIFEST } from "../../src/oci/media-types.ts";
import { seededBytes } from "../support/images.ts";
import type { MemoryRegistry } from "../support/memory-registry.ts";
import { sha256 } from "../support/memory-registry.ts";

export interface StoredPlatform {
  readonly manifest: string;
  readonly config: string;
  readonly layers: readonly string[];
}

export interface StoredIndex {
  readonly digest: string;
  /** By architecture. */
  readonly platforms: ReadonlyMap<string, StoredPlatform>;
}

interface IndexOptions {
  /** Of the layers; default the name. */
  readonly seed?: string;
  readonly architectures?: readonly string[];
  /** Added to the sizes that the index states. */
  readonly sizeOff?: number;
}

/** Layer that all images share. */
export const SHARED: Buffer = seededBytes("shared", 3000);

/** Puts an index of one image per architecture into a registry, as `name`; each has the shared layer and one of its own. */
export function storeIndex(
  content: MemoryRegistry,
  name: string,
  { seed = name, architectures = ["amd64", "arm64"], sizeOff = 0 }: IndexOptions = {},
): StoredIndex {
  const describe = (mediaType: string, bytes: Buffer): object => ({
    mediaType,
    digest: content.addBlob(bytes),
    size: bytes.length,
  });
  const [repository = ""] = name.split(":");
  const platforms = new Map<string, StoredPlatform>();
  const children = architectures.map(architecture => {
    const own = seededBytes(`${seed} ${architecture}`, 2000);
    const layers = [SHARED, own];
    const rootfs = { type: "layers", diff_ids: layers.map(bytes => sha256(Buffer.from(`raw ${sha256(bytes)}`))) };
    const config = Buffer.from(JSON.stringify({ os: "linux", architecture, rootfs }));
    const manifest = Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: OCI_MANIFEST,
        config: describe(OCI_CONFIG, config),
        layers: layers.map(bytes => describe(OCI_LAYER_GZIP, bytes)),
      }),
    );
    const digest = content.addManifest(`${repository}:child-${architecture}`, OCI_MANIFEST, manifest);
    platforms.set(architecture, { manifest: digest, config: sha256(config), layers: layers.map(sha256) });
    const platform = { os: "linux", architecture };
    return { mediaType: OCI_MANIFEST, digest, size: manifest.length + sizeOff, platform };
  });
  const index = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests: children }));
  return { digest: content.addManifest(name, OCI_INDEX, index), platforms };
}

/** The text of the lock in an archive or folder. */
export async function lockText(path: string): Promise<string> {
  if (path.endsWith("/")) return await readFile(join(path, "imgpack.json"), "utf8");
  await using source = await openArchive(path);
  const entry = source.archive.entries.get("imgpack.json");
  if (entry === undefined) throw new Error("no imgpack.json");
  return Buffer.from(await readBlob(source.archive.slice(entry), entry.size)).toString("utf8");
}

export async function lockOf(path: string): Promise<Lock> {
  return parseLock(Buffer.from(await lockText(path)), { where: path });
}
