// Images that share layers, and what a registry has of them.
import type { ShardSummary } from "../../src/index.ts";
import { seededBytes } from "../support/images.ts";
import type { MemoryRegistry } from "../support/memory-registry.ts";
import type { ScriptedRegistry } from "../support/scripted-registry.ts";
import { putImage } from "../unit/verbs/query/listed-registry.ts";

/** Layers of images: two systems that several have, and one of each image's own. */
export function sharedLayers(image: number): readonly Buffer[] {
  const system = image % 3 === 0 ? seededBytes("system one", 40_000) : seededBytes("system two", 30_000);
  return [system, seededBytes(`image ${image}`, 2000 + 700 * image)];
}

/** @returns their names, `app-<number>:1`. */
export function putSharingImages(content: MemoryRegistry, count: number): readonly string[] {
  return Array.from({ length: count }, (_, image) => {
    const name = `team/app-${image}:1`;
    putImage(content, [name], { layers: sharedLayers(image), created: `2026-01-01T00:00:${image}Z` });
    return name;
  });
}

/** Bytes of blobs that clients have sent: each upload, with the digest that it was closed with. */
export function sentBlobs(registry: ScriptedRegistry): readonly { readonly digest: string; readonly bytes: number }[] {
  return registry.seen(/^PUT .*\/blobs\/uploads\//).map(({ path, body }) => ({
    digest: new URL(path, "http://registry/").searchParams.get("digest") ?? "",
    bytes: body.length,
  }));
}

/** Tags of the registry, each with all that its image needs, or with what is missing of it. */
export function tagsOf({ manifests, blobs }: MemoryRegistry): readonly string[] {
  const tags = [...manifests.keys()].filter(key => !key.startsWith("sha256:") && !key.includes("@"));
  return tags.sort().map(tag => {
    const bytes = manifests.get(tag)?.bytes.toString("utf8") ?? "";
    const needed = [...bytes.matchAll(/"digest":"(sha256:[0-9a-f]{64})"/g)].map(([, digest = ""]) => digest);
    const missing = needed.filter(digest => !blobs.has(digest));
    return missing.length === 0 ? tag : `${tag} without ${missing.join(" and ")}`;
  });
}

/** How often each blob was sent beyond once, in bytes. */
export function sentTwice(registry: ScriptedRegistry): number {
  const seen = new Set<string>();
  let bytes = 0;
  for (const one of sentBlobs(registry)) {
    if (seen.has(one.digest)) bytes += one.bytes;
    seen.add(one.digest);
  }
  return bytes;
}

/** At most so many bytes may be sent twice by all shards. */
export function plannedTwice(shards: readonly (ShardSummary | undefined)[]): number {
  return shards.reduce((sum, shard) => sum + (shard?.twice.bytes ?? 0), 0);
}

/** A signal that stops a run at its `at`-th upload to a registry, as a lost machine does: "node lost". */
export function stopAtUpload(registry: ScriptedRegistry, at: number): AbortSignal {
  const stop = new AbortController();
  let uploads = 0;
  registry.addFault({
    on: /^PUT .*\/blobs\/uploads\//,
    times: Number.POSITIVE_INFINITY,
    change: () => {
      uploads += 1;
      if (uploads === at) stop.abort(new Error("node lost"));
      return {};
    },
  });
  return stop.signal;
}
