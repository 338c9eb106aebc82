import type { Digest } from "../../../oci/digest.ts";
import { MAX_INDEX_DEPTH } from "../../../oci/limits.ts";
import { referrersTag } from "../../../oci/referrers/referrers-tag.ts";
import type { FoundDamage, Lack, ManifestRecord } from "../../content/served-registry.ts";
import type { Attached, BrokenBlob, ListedPlatform } from "./catalogue.ts";
import type { GatheredReferrer, GatheredRepository } from "./gathered-repository.ts";
import type { BlobFacts, ChildFacts, ManifestFacts } from "./manifest-facts.ts";
import type { ManifestShelf } from "./manifest-shelf.ts";

/** What is behind the names of an image: the same for all of them. */
export interface ImageContent {
  readonly record: ManifestRecord;
  readonly isArtifact: boolean;
  readonly artifactType: string | undefined;
  readonly platforms: readonly ListedPlatform[];
  /** Configs and layers of all carried platforms, each once. */
  readonly blobs: ReadonlySet<BlobFacts>;
  readonly attached: readonly Attached[];
  readonly broken: readonly BrokenBlob[];
}

/** Damage that was found, by the content that it is in. */
export type KnownDamage = ReadonlyMap<Digest, FoundDamage>;

const REASONS: Readonly<Record<Lack["kind"], BrokenBlob["why"]>> = {
  volume: "missing",
  base: "assumed",
  damage: "damaged",
  layers: "missing",
  changed: "missing",
};

/** Puts together what the manifests of one image say. Nothing is read. */
export class ContentBuilder {
  readonly #gathered: GatheredRepository;
  readonly #shelf: ManifestShelf;
  readonly #damage: KnownDamage;
  readonly #platforms: ListedPlatform[] = [];
  readonly #blobs = new Set<BlobFacts>();
  readonly #broken = new Map<Digest, BrokenBlob>();
  readonly #attached = new Map<Digest, Attached>();
  /** Indexes, and platforms of manifests: indexes that share their entries have paths without bound (security case M-07). */
  readonly #seen = new Set<string>();

  constructor(gathered: GatheredRepository, shelf: ManifestShelf, damage: KnownDamage) {
    this.#gathered = gathered;
    this.#shelf = shelf;
    this.#damage = damage;
  }

  build(record: ManifestRecord): ImageContent {
    const facts = this.#manifest(record);
    this.#attach(record.digest, undefined);
    if (facts?.kind === "index") this.#addIndex(record.digest, facts, 0);
    else if (facts !== undefined) this.#addPlatform(record.digest, this.#lonelyLabel(facts), facts);
    return {
      record,
      isArtifact: facts?.isArtifact ?? false,
      artifactType: facts?.isArtifact === true ? facts.artifactType : undefined,
      platforms: this.#platforms,
      blobs: this.#blobs,
      attached: [...this.#attached.values()],
      broken: [...this.#broken.values()],
    };
  }

  #lonelyLabel({ config }: ManifestFacts): string {
    return config === undefined ? "" : (this.#shelf.platform(config.digest) ?? "");
  }

  #addIndex(digest: Digest, { children }: ManifestFacts, depth: number): void {
    if (this.#seen.has(digest)) return;
    this.#seen.add(digest);
    const labels = new Map(children.map(child => [child.digest, child.label]));
    for (const child of children) {
      const key = `${child.digest} ${child.label}`;
      if (!this.#seen.has(key)) this.#addChild(child, labels, depth);
      this.#seen.add(key);
    }
  }

  /** @param labels of its siblings */
  #addChild(child: ChildFacts, labels: ReadonlyMap<Digest, string>, depth: number): void {
    const { digest, size, label, attests } = child;
    const record = this.#gathered.repository.manifest(digest);
    if (attests !== undefined || label === "unknown/unknown") {
      const platform = attests === undefined ? undefined : labels.get(attests);
      if (record !== undefined) this.#attachOne({ record, tag: undefined }, platform, "attestation");
      return;
    }
    if (record === undefined) {
      const isMissing = this.#gathered.repository.lack(digest) !== undefined;
      if (isMissing) this.#addBroken({ digest, size, kind: "manifest" });
      this.#platforms.push({ label, digest, state: isMissing ? "broken" : "left out", bytes: 0, layers: 0 });
      return;
    }
    this.#attach(digest, label);
    const facts = this.#manifest(record);
    if (facts === undefined) this.#platforms.push({ label, digest, state: "broken", bytes: 0, layers: 0 });
    else if (facts.kind !== "index") this.#addPlatform(digest, label, facts);
    else if (depth < MAX_INDEX_DEPTH) this.#addIndex(digest, facts, depth + 1);
  }

  /** Undefined for a manifest that cannot be read; it is noted. */
  #manifest({ digest, size }: ManifestRecord): ManifestFacts | undefined {
    const facts = this.#shelf.manifest(digest);
    if (facts === undefined || this.#damage.has(digest)) this.#addBroken({ digest, size, kind: "manifest" });
    if (facts?.kind !== "unreadable") return facts;
    this.#addBroken({ digest, size, kind: "manifest", why: "unreadable" });
    return undefined;
  }

  #addPlatform(digest: Digest, label: string, { config, layers }: ManifestFacts): void {
    const all = config === undefined ? layers : [config, ...layers];
    const isBroken = all.map((blob, index) => this.#check(blob, config === undefined ? index + 1 : index));
    let bytes = 0;
    for (const blob of new Set(all)) {
      bytes += blob.size;
      this.#blobs.add(blob);
    }
    const state = isBroken.includes(true) ? "broken" : "here";
    this.#platforms.push({ label, digest, state, bytes, layers: layers.length });
  }

  /** @returns whether the blob cannot be sent */
  #check({ digest, size, isForeign }: BlobFacts, layer: number): boolean {
    const isDamaged = this.#damage.has(digest);
    const isHere = this.#gathered.repository.blob(digest) !== undefined;
    if (!isDamaged && (isHere || isForeign)) return false;
    this.#addBroken({ digest, size, ...(layer === 0 ? { kind: "config" } : { kind: "layer", layer }) });
    return true;
  }

  #addBroken(blob: Pick<BrokenBlob, "digest" | "size" | "kind"> & Partial<Pick<BrokenBlob, "layer" | "why">>): void {
    const damage = this.#damage.get(blob.digest);
    const lack = this.#gathered.repository.lack(blob.digest);
    this.#broken.set(blob.digest, {
      layer: undefined,
      why: damage === undefined ? REASONS[lack?.kind ?? "volume"] : "damaged",
      volumes: lack?.volumes ?? [],
      found: lack?.found ?? damage?.found,
      ...blob,
    });
  }

  #attach(subject: Digest, platform: string | undefined): void {
    const { repository, byTag } = this.#gathered;
    for (const record of repository.referrersOf(subject)) this.#attachOne({ record, tag: undefined }, platform);
    for (const referrer of byTag.get(referrersTag(subject)) ?? []) this.#attachOne(referrer, platform);
  }

  #attachOne({ record, tag }: GatheredReferrer, platform: string | undefined, least?: "attestation"): void {
    const { digest, mediaType } = record;
    if (this.#attached.has(digest)) return;
    const facts = this.#shelf.manifest(digest);
    const blobs = facts?.layers ?? [];
    const byTag = tag === undefined ? undefined : BY_SUFFIX.find(([suffix]) => tag.endsWith(suffix))?.[1];
    const kind = byTag ?? facts?.referrerKind ?? "other";
    this.#attached.set(digest, {
      kind: kind === "other" ? (least ?? kind) : kind,
      type: facts?.artifactType ?? record.artifactType ?? mediaType,
      digest,
      bytes: blobs.reduce((sum, { size }) => sum + size, 0),
      platform,
      tag,
    });
  }
}

const BY_SUFFIX = [
  [".sig", "signature"],
  [".sbom", "sbom"],
  [".att", "attestation"],
] as const;
