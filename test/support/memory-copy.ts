// Whole copies between a source and a target in memory.
import { gzipProfile } from "../../src/compress/gzip/gzip-profile.ts";
import type { CopyPlan, ImageSource, Root, SettledRoot } from "../../src/content/contracts.ts";
import type { ProgressEvent } from "../../src/content/progress.ts";
import { copyImages } from "../../src/copy/copy-image.ts";
import { type DigestCache, openDigestCache } from "../../src/copy/digest-cache.ts";
import { gather } from "../../src/copy/gather.ts";
import type { Descriptor } from "../../src/oci/descriptor.ts";
import { OCI_CONFIG, OCI_MANIFEST } from "../../src/oci/media-types.ts";
import { compressLayers } from "../../src/transform/compress-layers.ts";
import { fixedPace } from "../../src/util/pace/pace.ts";
import { type MemorySource, memorySource } from "./memory-image.ts";
import type { MemoryTarget } from "./memory-target.ts";

export interface Copied {
  readonly roots: readonly SettledRoot[];
  readonly events: readonly ProgressEvent[];
  readonly plan: CopyPlan;
}

export interface CopyChoices {
  readonly cache?: DigestCache;
  readonly concurrency?: number;
  readonly signal?: AbortSignal;
  readonly events?: ProgressEvent[];
}

/** Plans and copies as the verbs do. */
export async function copy(
  source: ImageSource,
  roots: readonly Root[],
  target: MemoryTarget,
  choices: CopyChoices = {},
): Promise<Copied> {
  const { concurrency = 2, signal, events = [] } = choices;
  const plan = await gather(source, roots);
  const cache = choices.cache ?? (await openDigestCache(undefined));
  const onProgress = (event: ProgressEvent): void => void events.push(event);
  const settled = await copyImages({
    plan,
    source,
    target,
    sourceName: "a.tar",
    cache,
    pace: fixedPace(concurrency),
    onProgress,
    signal,
  });
  return { roots: settled, events, plan };
}

/** Draft roots over raw layers, as a docker archive gives them. */
export async function draftRoots(
  source: MemorySource,
  ...images: readonly (readonly Descriptor[])[]
): Promise<readonly Root[]> {
  const drafts: Root[] = images.map((layers, index) => ({
    kind: "draft",
    names: [`v${index}`],
    draft: { mediaType: OCI_MANIFEST, config: source.add(OCI_CONFIG, { index }), layers },
  }));
  const roots: Root[] = [];
  for await (const root of compressLayers({ ...source, roots: memorySource(drafts).roots }, gzipProfile()).roots())
    roots.push(root);
  return roots;
}
