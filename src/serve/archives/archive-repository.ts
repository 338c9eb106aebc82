import type { ImageArchive } from "../../archive/archive-source.ts";
import type { Digest } from "../../oci/digest.ts";
import { appendTo } from "../../util/append.ts";
import type { DamageLog } from "../content/damage-log.ts";
import type { Lack, ManifestRecord, ServedRepository, StoredContent } from "../content/served-registry.ts";
import { absentBlob } from "./absent-blob.ts";
import type { ArchiveContent } from "./archive-content.ts";
import type { Closure } from "./closure.ts";
import { absentLack, changedLack, damageLack, LAYERS_LACK } from "./lacks.ts";
import type { NamedImages } from "./name-table.ts";

/** A repository of archives. */
export class ArchiveRepository implements ServedRepository {
  readonly original: string;
  readonly name: string;
  readonly #closure: Closure;
  readonly #archive: ImageArchive;
  readonly #log: DamageLog;
  readonly #content: ArchiveContent;
  readonly #manifests: ReadonlyMap<Digest, ManifestRecord>;
  readonly #tags = new Map<string, Digest>();
  #bySubject: ReadonlyMap<Digest, readonly ManifestRecord[]> | undefined;

  /** @param manifests those of the closure that it has. Default: those that can be pulled. */
  constructor(
    images: NamedImages,
    closure: Closure,
    archive: ImageArchive,
    log: DamageLog,
    content: ArchiveContent,
    manifests: ReadonlyMap<Digest, ManifestRecord> = closure.manifests,
  ) {
    this.#manifests = manifests;
    this.original = images.original;
    this.name = images.full;
    this.#closure = closure;
    this.#archive = archive;
    this.#log = log;
    this.#content = content;
    for (const [tag, digest] of closure.tags) this.#tags.set(tag, digest);
    for (const [tag, root] of images.tags) {
      const digest = closure.digests.get(root);
      if (digest !== undefined) this.#tags.set(tag, digest);
    }
  }

  hasManifests(): boolean {
    return this.#manifests.size > 0;
  }

  blob(digest: Digest): StoredContent | undefined {
    const size = this.#closure.blobs.get(digest);
    const isHere = this.#archive.hasBlob(digest) && this.#content.changedFile(digest) === undefined;
    return size === undefined || !isHere ? undefined : { digest, size };
  }

  manifest(digest: Digest): ManifestRecord | undefined {
    return this.#manifests.get(digest);
  }

  manifests(): Iterable<ManifestRecord> {
    return this.#manifests.values();
  }

  tagged(tag: string): Digest | undefined {
    return this.#tags.get(tag);
  }

  tags(): Iterable<string> {
    return this.#tags.keys();
  }

  referrersOf(subject: Digest): readonly ManifestRecord[] {
    this.#bySubject ??= recordsBySubject(this.#manifests.values());
    return this.#bySubject.get(subject) ?? [];
  }

  lack(digest: Digest): Lack | undefined {
    const damage = this.#log.find(digest);
    if (damage !== undefined && this.#hasNamed(digest)) return damageLack(damage);
    const changed = this.#hasNamed(digest) ? this.#content.changedFile(digest) : this.#closure.changedFile;
    if (changed !== undefined) return changedLack(changed);
    if (this.#closure.unnamable.has(digest)) return LAYERS_LACK;
    const lost = this.#closure.lost.get(digest);
    if (lost !== undefined) return absentLack(this.#archive, lost);
    const absent = this.#closure.blobs.has(digest) ? absentBlob(this.#archive, digest) : undefined;
    return absent === undefined ? undefined : absentLack(this.#archive, [absent]);
  }

  /** Whether it names content: of others it must not say anything. */
  #hasNamed(digest: Digest): boolean {
    const { blobs, manifests, named } = this.#closure;
    return blobs.has(digest) || manifests.has(digest) || named.has(digest);
  }
}

function recordsBySubject(records: Iterable<ManifestRecord>): ReadonlyMap<Digest, readonly ManifestRecord[]> {
  const found = new Map<Digest, ManifestRecord[]>();
  for (const record of records) if (record.subject !== undefined) appendTo(found, record.subject, record);
  return found;
}
