// A scene as a registry, with layers as large as they claim to be.

import type { AbsentBlob } from "../../../src/archive/archive-source.ts";
import { lockedBundle } from "../../../src/bundle/base/locked-bundle.ts";
import type { Digest } from "../../../src/oci/digest.ts";
import type {
  FoundDamage,
  ManifestRecord,
  OpenBlob,
  ServedBundle,
  ServedPart,
  ServedRegistry,
  ServedRepository,
  StoredContent,
} from "../../../src/serve/content/served-registry.ts";
import { appendTo } from "../../../src/util/append.ts";
import type { Scene, SceneBlob } from "./page-content.ts";

export interface SceneFaults {
  readonly damage: readonly FoundDamage[];
  /** On a volume that is not there. */
  readonly missing: readonly AbsentBlob[];
}

const VOLUME_BYTES = 1_825_361_100;

export function volumeName(scene: Scene, number: number): string {
  const digits = (count: number): string => String(count).padStart(3, "0");
  return `delivery.${digits(number)}-of-${digits(volumesOf(scene))}.tar`;
}

function volumesOf({ lock }: Scene): number {
  return Math.ceil(lock.blobs.reduce((sum, { size }) => sum + size, 0) / VOLUME_BYTES);
}

/** @param others bundles that are served, too, and of which no image is listed */
export function sceneRegistry(
  scene: Scene,
  { damage, missing }: SceneFaults,
  others: readonly Scene[] = [],
): ServedRegistry {
  const { blobs, lock } = scene;
  const lost = new Set(missing.flatMap(({ volumes }) => volumes));
  const lacking = new Set([...missing, ...damage].flatMap(({ digest }) => digest ?? []));
  const repositories = new Map(repositoriesOf(scene, lacking, missing).map(each => [each.name, each]));
  const total = lock.blobs.reduce((sum, { size }) => sum + size, 0);
  const of = volumesOf(scene);
  const numbers = Array.from({ length: of }, (_, index) => index + 1).filter(number => !lost.has(number));
  const files = numbers.map(number => ({
    name: volumeName(scene, number),
    size: number === of ? total - (of - 1) * VOLUME_BYTES : VOLUME_BYTES,
    volume: number,
  }));
  const bundle: ServedBundle = {
    id: lock.id,
    files,
    volumes: {
      bundle: lock.id,
      of,
      present: new Map(),
      missing: [...lost],
      doubled: [],
      stale: [],
      foreign: [],
    },
    lock: async () => lock,
    parts: async () => [scenePart(scene), ...others.map(scenePart)],
    absent: missing,
    pieces: { checked: 1204, of: Math.ceil(total / (4 * 1024 * 1024)) },
  };
  return {
    generation: 1,
    damage,
    bundle,
    get inventory() {
      return this;
    },
    namespaces: undefined,
    names: () => repositories.keys(),
    repository: async name => repositories.get(name),
    namesakes: () => [],
    readManifest: async ({ digest }) => blobs.get(digest)?.bytes,
    openBlob: async content => openBlob(content, blobs.get(content.digest)),
  };
}

function scenePart(scene: Scene): ServedPart {
  const { id, bases = [], assumes = [] } = scene.lock;
  return {
    id,
    files: [volumeName(scene, 1)],
    isDelta: assumes.length > 0,
    bases,
    contents: async () => lockedBundle(scene.lock, ""),
  };
}

function repositoriesOf(
  { blobs, roots }: Scene,
  lacking: ReadonlySet<Digest>,
  missing: readonly AbsentBlob[],
): readonly ServedRepository[] {
  const tags = new Map<string, [tag: string, digest: Digest][]>();
  const referrers = new Map<Digest, ManifestRecord[]>();
  for (const { repository, tag, digest, mediaType, size, artifactType = "" } of roots) {
    if (tag !== undefined) appendTo(tags, repository, [tag, digest]);
    const subject = subjectOf(blobs.get(digest));
    if (subject !== undefined) appendTo(referrers, subject, { digest, size, mediaType, subject, artifactType });
  }
  return [...tags].map(([name, own]) => {
    const named = new Map(own);
    const has = (digest: Digest): boolean => blobs.get(digest)?.repositories.has(name) === true;
    const subjects = new Map(
      [...referrers].flatMap(([subject, records]) =>
        records.map(record => [record.digest, { ...record, subject }] as const),
      ),
    );
    const manifest = (digest: Digest): ManifestRecord | undefined => {
      const blob = blobs.get(digest);
      if (blob?.kind !== "manifest" || !has(digest)) return undefined;
      return subjects.get(digest) ?? { digest, size: blob.size, mediaType: blob.mediaType };
    };
    return {
      name,
      original: name,
      hasManifests: () => true,
      blob: digest =>
        has(digest) && !lacking.has(digest) ? { digest, size: blobs.get(digest)?.size ?? 0 } : undefined,
      manifest,
      manifests: () => [...blobs.keys()].flatMap(digest => manifest(digest) ?? []),
      tagged: tag => named.get(tag),
      tags: () => named.keys(),
      referrersOf: subject => referrers.get(subject) ?? [],
      lack: digest => {
        const volumes = missing.find(blob => blob.digest === digest)?.volumes;
        if (volumes !== undefined)
          return { kind: "volume", found: `it is on volume ${volumes.join(", ")}`, hint: "", volumes };
        return lacking.has(digest) ? { kind: "damage", found: "it is damaged", hint: "" } : undefined;
      },
    };
  });
}

function subjectOf(blob: SceneBlob | undefined): Digest | undefined {
  if (blob?.kind !== "manifest" || blob.bytes === undefined) return undefined;
  const { subject } = JSON.parse(blob.bytes.toString("utf8")) as { readonly subject?: { readonly digest: Digest } };
  return subject?.digest;
}

function openBlob({ digest, size }: StoredContent, blob: SceneBlob | undefined): OpenBlob | undefined {
  const bytes = blob?.bytes;
  if (bytes === undefined) return undefined;
  return {
    digest,
    size,
    async *chunks() {
      yield bytes;
    },
    close: async () => undefined,
  };
}

/** Layers of one repository alone, as if they were on that volume. */
export function onVolume({ lock }: Scene, repository: string, volume: number): readonly AbsentBlob[] {
  const own = lock.blobs.filter(({ kind, repositories }) => kind === "layer" && repositories.join() === repository);
  return own.map(blob => ({ ...blob, why: "volume", volumes: [volume] }));
}
