import type { Root } from "../../content/contracts.ts";
import { readBlob } from "../../content/pump.ts";
import { ArchiveError, IntegrityError, StorageError } from "../../errors.ts";
import type { Digest } from "../../oci/digest.ts";
import type { DockerImageEntry } from "../../oci/docker-manifest.ts";
import type { LayoutRoot } from "../../oci/layout.ts";
import { MAX_MANIFEST_BYTES } from "../../oci/limits.ts";
import { isManifestType } from "../../oci/media-types.ts";
import { append, appendTo } from "../../util/append.ts";
import type { Archive } from "../archive.ts";
import { digestInName } from "../blob-name.ts";
import { dockerViewOf } from "./docker-view.ts";
import { type EntryReferrers, entryReferrers } from "./entry-referrers.ts";
import { inFileOrder } from "./in-file-order.ts";
import { isClassicEntry } from "./is-classic-entry.ts";
import { type OciRoot, readOciRoots } from "./oci-roots.ts";
import type { OciView } from "./oci-view.ts";
import { checkAgreement } from "./reconcile-views.ts";

/** The images of an archive as its index names them, while none of their manifests was read. */
export interface DeferredViews {
  readonly images: readonly Root[];
  /** As `entryReferrers`: of the manifests, those are read that may refer to another one. */
  claims(): Promise<EntryReferrers["claims"]>;
  /**
   * What opening checks of one image in any other archive: that its manifests can be read, and that `manifest.json` says the
   * same of it as `index.json`. What does not have its digest is left to who reads it.
   *
   * @throws ArchiveError as `readOciRoots`, `readDockerView` and `reconcileViews`.
   */
  check(image: Root, signal?: AbortSignal): Promise<void>;
}

/**
 * Leaves the manifests of an archive for later, if its two lists of images say without them which images there are: each
 * has a name of its own, its manifest is there, and no entry is one of a referrer.
 *
 * @param entries of `manifest.json`; none without one.
 * @returns undefined where the manifests say which images there are.
 */
export function deferredViews(
  archive: Archive,
  oci: OciView,
  entries: readonly DockerImageEntry[],
): DeferredViews | undefined {
  const { roots } = oci.index;
  const owners = ownersOfNames(oci);
  const configs = new Map<DockerImageEntry, Digest>();
  for (const entry of entries) {
    // readDockerView knows no other algorithm.
    const config = entry.config.startsWith("blobs/sha256/") ? digestInName(entry.config) : undefined;
    const isPlain = entry.names.length > 0 && entry.badNames.length === 0 && !isClassicEntry(entry);
    if (config === undefined || !isPlain || entry.names.some(name => owners?.has(name) !== true)) return undefined;
    configs.set(entry, config);
  }
  if (owners === undefined) return undefined;
  return new UnreadViews(archive, oci, roots, configs);
}

/** By each name; undefined where a name or an entry needs a manifest to be understood. */
function ownersOfNames({ index, blobs }: OciView): ReadonlySet<string> | undefined {
  const found = new Set<string>();
  for (const { descriptor, names, badNames, tags } of index.roots) {
    if (!isManifestType(descriptor.mediaType) || !blobs.has(descriptor.digest)) return undefined;
    if (names.length === 0 || badNames.length > 0 || tags.length > 0) return undefined;
    for (const name of names) {
      // With a digest, other names may mean the same; tags of this form are of referrers.
      if (found.has(name) || name.includes("@") || /:sha(?:256|512)-/.test(name)) return undefined;
      found.add(name);
    }
  }
  return found;
}

class UnreadViews implements DeferredViews {
  readonly images: readonly Root[];
  readonly #archive: Archive;
  readonly #oci: OciView;
  readonly #roots = new Map<Digest, LayoutRoot>();
  readonly #byName = new Map<string, DockerImageEntry[]>();
  readonly #byConfig = new Map<Digest, DockerImageEntry[]>();
  #claims: Promise<EntryReferrers["claims"]> | undefined;

  constructor(
    archive: Archive,
    oci: OciView,
    roots: readonly LayoutRoot[],
    configs: ReadonlyMap<DockerImageEntry, Digest>,
  ) {
    this.#archive = archive;
    this.#oci = oci;
    this.images = roots.map(({ descriptor, names }) => ({ kind: "settled", names, badNames: [], descriptor }));
    for (const root of roots) this.#roots.set(root.descriptor.digest, root);
    for (const [entry, config] of configs) {
      for (const name of entry.names) appendTo(this.#byName, name, entry);
      appendTo(this.#byConfig, config, entry);
    }
  }

  async check(image: Root, signal?: AbortSignal): Promise<void> {
    const root = image.kind === "settled" ? this.#roots.get(image.descriptor.digest) : undefined;
    if (root === undefined) return;
    const { what } = this.#archive;
    const [read] = await this.#readRoots([root], signal);
    // Absent or damaged: nothing of it can be compared.
    if (read === undefined || read.images.size === 0) return;
    const entries = new Set([
      ...root.names.flatMap(name => this.#byName.get(name) ?? []),
      ...[...read.images.keys()].flatMap(config => this.#byConfig.get(config) ?? []),
    ]);
    const options = { artifacts: read.artifacts, onDamage: () => undefined, signal };
    const docker = await dockerViewOf(this.#archive, [...entries], options);
    checkAgreement(what, docker.images, [read]);
  }

  async claims(): Promise<EntryReferrers["claims"]> {
    // Of all who ask: the end of one of them must not end it.
    this.#claims ??= this.#readClaims();
    try {
      return await this.#claims;
    } catch (error) {
      this.#claims = undefined;
      throw error;
    }
  }

  async #readClaims(): Promise<EntryReferrers["claims"]> {
    const { blobs } = this.#oci;
    const entryOf = ({ descriptor }: LayoutRoot): ReturnType<typeof blobs.entry> => blobs.entry(descriptor.digest);
    const look = async (root: LayoutRoot): Promise<boolean> => {
      const blob = blobs.blob(root.descriptor);
      return blob.size > MAX_MANIFEST_BYTES || mayHaveSubject(await readBlob(blob, MAX_MANIFEST_BYTES));
    };
    const roots = [...this.#roots.values()];
    const found = await inFileOrder(roots, entryOf, look, undefined);
    const referring: OciRoot[] = [];
    for (const [index, root] of roots.entries()) {
      if (found[index] !== undefined && !isUnlikely(found[index])) {
        // One that cannot be read refers to nothing; its check says why.
        append(referring, await this.#readRoots([root], undefined).catch(unreadable));
      }
    }
    return entryReferrers(referring).claims;
  }

  async #readRoots(roots: readonly LayoutRoot[], signal: AbortSignal | undefined): Promise<readonly OciRoot[]> {
    const { index, blobs } = this.#oci;
    const damaged = (): undefined => undefined;
    return await readOciRoots({ index: { ...index, roots }, blobs }, this.#archive.what, damaged, signal);
  }
}

const SUBJECT = Buffer.from('"subject"');
const BACKSLASH = 0x5c;

/** False only for JSON without such a field; a backslash may write its name in another way. */
function mayHaveSubject(bytes: Uint8Array): boolean {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return text.includes(SUBJECT) || text.includes(BACKSLASH);
}

/** Of a manifest that cannot be read, `readRoots` says why. */
function isUnlikely(look: () => boolean): boolean {
  try {
    return !look();
  } catch {
    return false;
  }
}

function unreadable(error: unknown): readonly OciRoot[] {
  if (error instanceof ArchiveError || error instanceof IntegrityError || error instanceof StorageError) return [];
  throw error;
}
