import type { CopyPlan, Referrer, SettledRoot } from "../content/contracts.ts";
import { AuthError, IntegrityError, NotFoundError, RegistryError } from "../errors.ts";
import type { Digest } from "../oci/digest.ts";
import { manifestChildren, parseManifest, type RawManifest } from "../oci/manifest.ts";
import { putManifest } from "./api/put-manifest.ts";
import { resolveDigest } from "./api/resolve-digest.ts";
import { isBadAnswer } from "./client/registry-answer.ts";
import type { Repository } from "./client/repository.ts";
import { childrenOf, withForeignLayers } from "./planned-graph.ts";
import { deliverReferrers, type UndeliveredReferrer } from "./referrers/deliver-referrers.ts";

const FOREIGN_HINT =
  "The image has foreign layers, which this registry may not accept: distribution (registry:2, registry:3) allows their URLs with validation.manifests.urls.allow.";

export interface ManifestPutsOptions {
  readonly onNote: (message: string) => void;
  /** Called with each referrer that the registry refuses. */
  readonly onUndelivered: (undelivered: UndeliveredReferrer) => void;
  /** Called with the number of manifests and tags that are to be put; what it returns, after each. */
  readonly onCommit: ((total: number) => () => void) | undefined;
}

/** The manifests and tags of a push: what the repository has already is not sent again. */
export class ManifestPuts {
  readonly #repository: Repository;
  readonly #options: ManifestPutsOptions;
  readonly #manifests = new Map<Digest, RawManifest>();
  /** Manifests that others name. Registries refuse the parents unless these come first. */
  readonly #children: ReadonlySet<Digest>;
  readonly #withForeign: ReadonlySet<Digest>;
  /**
   * Blobs and manifests that were sent: the repository cannot have what needs them. A mount says nothing of it: the blob may
   * have been there.
   */
  readonly #sent = new Set<Digest>();

  constructor(repository: Repository, plan: CopyPlan, options: ManifestPutsOptions) {
    this.#repository = repository;
    this.#options = options;
    this.#children = childrenOf(plan);
    this.#withForeign = withForeignLayers(plan);
  }

  /** Keeps a manifest for `commit`. */
  add(digest: Digest, manifest: RawManifest): void {
    this.#manifests.set(digest, manifest);
  }

  /** A blob was sent. */
  addSent(digest: Digest): void {
    this.#sent.add(digest);
  }

  /** Manifests, what refers to them, and tags last: who sees a tag finds the signature, too. */
  async commit(roots: readonly SettledRoot[], signal: AbortSignal | undefined): Promise<void> {
    const { onNote, onUndelivered, onCommit } = this.#options;
    const tagged = new Set(roots.filter(({ names }) => names.length > 0).map(({ descriptor }) => descriptor.digest));
    const referrers = roots.flatMap(root => root.referrers?.found ?? []);
    const later = new Set(referrers.map(({ descriptor }) => descriptor.digest));
    const subjects = new Set(referrers.flatMap(({ subject }) => subject ?? []));
    const first = [...this.#manifests].filter(([digest]) => {
      const isNamed = tagged.has(digest) && !this.#children.has(digest) && !subjects.has(digest);
      return !isNamed && !later.has(digest);
    });
    const tags = roots.flatMap(({ names, descriptor: { digest } }) => {
      const manifest = this.#manifests.get(digest);
      return manifest === undefined ? [] : names.map(tag => ({ tag, manifest, digest }));
    });
    const onPut = onCommit?.(first.length + tags.length);
    for (const [digest, manifest] of first) {
      await this.#put(digest, manifest, digest, signal);
      onPut?.();
    }
    const undelivered = await deliverReferrers({
      repository: this.#repository,
      referrers: unique(referrers),
      manifestOf: digest => this.#manifests.get(digest),
      onNote,
      signal,
    });
    for (const { tag, manifest, digest } of tags) {
      await this.#put(tag, manifest, digest, signal);
      onPut?.();
    }
    for (const one of undelivered) onUndelivered(one);
  }

  async #put(reference: string, manifest: RawManifest, digest: Digest, signal: AbortSignal | undefined): Promise<void> {
    if (await this.#isThere(reference, manifest, digest, signal)) return;
    this.#sent.add(digest);
    try {
      await putManifest(this.#repository, reference, manifest, digest, { signal });
    } catch (error) {
      const isRefused = error instanceof RegistryError && error.status < 500 && error.status !== 429;
      if (!isRefused || !this.#withForeign.has(digest)) throw error;
      const { message, status, codes } = error;
      throw new RegistryError(message, { status, codes, cause: error, hint: FOREIGN_HINT });
    }
  }

  /** Asked only where all that the manifest needs was at the registry before. A no is always safe. */
  async #isThere(
    reference: string,
    manifest: RawManifest,
    digest: Digest,
    signal: AbortSignal | undefined,
  ): Promise<boolean> {
    const view = parseManifest(manifest.bytes, { where: reference, announced: manifest.mediaType });
    if (this.#sent.has(digest) || manifestChildren(view).some(child => this.#sent.has(child.digest))) return false;
    try {
      return (await resolveDigest(this.#repository, reference, signal)).digest === digest;
    } catch (error) {
      signal?.throwIfAborted();
      const isNo = error instanceof NotFoundError || error instanceof AuthError || error instanceof IntegrityError;
      if (isNo || isBadAnswer(error) || (error instanceof RegistryError && !error.transient)) return false;
      throw error;
    }
  }
}

/** One manifest may refer to several images. */
function unique(referrers: readonly Referrer[]): readonly Referrer[] {
  const keyOf = ({ descriptor, subject, tag }: Referrer): string => [descriptor.digest, subject, tag].join(" ");
  return [...new Map(referrers.map(referrer => [keyOf(referrer), referrer] as const)).values()];
}
