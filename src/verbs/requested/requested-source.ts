import { hasGlob } from "../../bundle/list/reference-glob.ts";
import type { LeftImage, Lock } from "../../bundle/lock/lock.ts";
import type { ImageSource, Root } from "../../content/contracts.ts";
import { blobsOf, derivedSource, listRoots } from "../../content/derived-source.ts";
import { failedImage, type OnProgress, stepTo } from "../../content/progress.ts";
import { reportedReads } from "../../copy/events/reported-reads.ts";
import { type ImgpackError, NotFoundError, PartialError, UsageError } from "../../errors.ts";
import type { Digest } from "../../oci/digest.ts";
import { repositoryOf } from "../../oci/names/repository-of.ts";
import type { Platform } from "../../oci/platform.ts";
import { formatReference } from "../../oci/reference.ts";
import { ManifestCache } from "../../registry/manifests/manifest-cache.ts";
import { ManifestReader } from "../../registry/manifests/manifest-reader.ts";
import { nameOf } from "../../registry/read-roots.ts";
import { type FullReference, registrySource, type SourceReference } from "../../registry/registry-source.ts";
import { shortId } from "../../util/format.ts";
import { GONE_HINT } from "../locking/check-lock.ts";
import type { LockFacts } from "../locking/lock-settings.ts";
import type { Foreign } from "../options/choices.ts";
import { listOf } from "../options/option-values.ts";
import type { RegistryOptions } from "../options/registry-options.ts";
import { failureText } from "../shared/attempts.ts";
import { RegistryPool } from "../shared/registry-pool.ts";
import { type CheckRootOptions, checkRoot } from "./check-root.ts";
import { expandReferences, registryOf } from "./expand-references.ts";
import { leftReason } from "./left-reason.ts";
import { lockedFinder } from "./locked-finder.ts";
import { lockedReferences } from "./locked-images.ts";
import {
  checkedImages,
  formatRequested,
  type RequestedImage,
  type ResolvedImage,
  resolveImage,
  sourceReference,
} from "./requested-image.ts";

export interface RequestedSourceOptions {
  readonly registry?: string | RegistryOptions | undefined;
  readonly trustedReferences?: readonly string[] | undefined;
  /** Other registries that the user names: they may get the credentials of the call, too. */
  readonly otherRegistries?: readonly string[] | undefined;
  readonly mirror?: string | readonly string[] | undefined;
  readonly foreign?: Foreign | undefined;
  readonly keepGoing?: boolean | undefined;
  /** As the user chose them. */
  readonly platform?: string | readonly string[] | undefined;
  /** Folder that remembers manifests. Default none. */
  readonly cacheDir?: string | undefined;
  /** Whether what refers to the images is looked for. Default true. */
  readonly referrers?: boolean | undefined;
  readonly concurrency?: number | undefined;
  readonly onProgress?: OnProgress | undefined;
}

/** Images that a call asks for, at their registries. */
export class RequestedSource implements AsyncDisposable {
  readonly registries: RegistryPool;
  readonly #verb: "pull" | "lock";
  readonly #requested: readonly RequestedImage[];
  #resolved: readonly ResolvedImage[] = [];
  #references: readonly SourceReference[] = [];
  /** References with wildcards that could not be replaced. */
  readonly #unexpanded: { readonly image: RequestedImage; readonly error: ImgpackError }[] = [];
  readonly #options: RequestedSourceOptions;
  readonly #lock: Lock | undefined;
  readonly #manifests: ManifestCache | undefined;
  readonly #failures = new Map<FullReference, ImgpackError>();

  /**
   * No registry is asked yet.
   *
   * @param lock in place of references.
   * @throws UsageError, BadReferenceError
   */
  constructor(
    verb: "pull" | "lock",
    references: readonly (string | RequestedImage)[],
    options: RequestedSourceOptions,
    lock?: Lock,
  ) {
    this.#verb = verb;
    this.#options = options;
    this.#lock = lock;
    const requested = checkedImages(verb, references);
    this.#requested = requested;
    if (lock === undefined) this.#resolve(requested.filter(({ reference }) => !hasGlob(reference)));
    else this.#references = lockedReferences(lock);
    if (lock !== undefined && requested.length > 0)
      throw new UsageError("Cannot pull a lock: found references next to it, expected the lock alone");
    if (requested.length + this.#references.length === 0)
      throw new UsageError(`Cannot ${verb}: no image named, expected at least one reference`);
    const { registry, trustedReferences, otherRegistries = [] } = options;
    const hosts =
      lock === undefined
        ? requested.map(({ reference }) => registryOf(reference, registry))
        : this.#references.map(one => one.registry);
    const trusted = trustedReferences?.map(text => registryOf(text, registry)) ?? (lock === undefined ? hosts : []);
    const named = [...trusted, ...otherRegistries];
    this.registries = new RegistryPool(options, named, options.onProgress ?? (() => undefined));
    this.registries.admit([...hosts, ...otherRegistries]);
    const { note } = this.registries;
    if (options.cacheDir !== undefined) this.#manifests = new ManifestCache(options.cacheDir, { onNote: note });
  }

  /** Replaces references with wildcards, before anything else. @throws as `expandReferences` */
  async expand(signal: AbortSignal | undefined): Promise<void> {
    if (this.#lock !== undefined) return;
    const { registry, keepGoing } = this.#options;
    const onFailed = (image: RequestedImage, error: ImgpackError): void => void this.#unexpanded.push({ image, error });
    const options = { registry, signal, onFailed: keepGoing === true ? onFailed : undefined };
    this.#resolve(await expandReferences(this.#requested, this.registries, options));
    const [first] = this.#unexpanded;
    // Nothing would be left to write.
    if (first !== undefined && this.#references.length === 0) throw first.error;
  }

  #resolve(images: readonly RequestedImage[]): void {
    this.#resolved = images.map(image => resolveImage(image, this.#options.registry));
    this.#references = this.#resolved.map(image => sourceReference(this.#verb, image));
  }

  get references(): readonly SourceReference[] {
    return this.#references;
  }

  /** True if no one chose the platforms, so that an image of one platform need not fit; a lock has chosen before. */
  get isPlatformDefault(): boolean {
    return this.#lock !== undefined || listOf(this.#options.platform).length === 0;
  }

  /** As messages name it. */
  get name(): string {
    if (this.#lock !== undefined) return `lock ${shortId(this.#lock.id)}`;
    return this.#resolved.map(({ line }) => line).join(", ");
  }

  /** @param platforms of references without their own. */
  open(platforms: readonly Platform[] | "all"): ImageSource {
    const { foreign, keepGoing, referrers } = this.#options;
    const finder = this.#lock === undefined ? this.registries.referrersFinder : lockedFinder(this.#lock);
    const configs = new Map<Digest, Uint8Array>();
    const checks: CheckRootOptions = {
      verb: this.#verb,
      platforms,
      isPlatformDefault: this.isPlatformDefault,
      configs,
    };
    const source: ImageSource = registrySource(this.references, this.registries.repositoryFor, {
      candidatesFor: this.registries.candidatesFor,
      onNote: this.registries.note,
      onRead: stepTo(this.#options.onProgress, "images", this.references.length),
      foreign,
      manifests: new ManifestReader(this.#manifests),
      platforms,
      referrersFinder: referrers === false ? undefined : finder,
      onFailed: this.#lock !== undefined || keepGoing === true ? this.#onFailed : undefined,
      check:
        this.#lock === undefined && keepGoing === true
          ? async (root, signal) => await checkRoot(source, root, checks, signal)
          : undefined,
    });
    const reported = reportedReads(source, this.#options.onProgress);
    if (this.#lock !== undefined) return derivedSource(reported, { roots: signal => this.#allOf(source, signal) });
    return derivedSource(reported, { blob: blobsOf(reported, digest => configs.get(digest)) });
  }

  /** A lock is pulled whole: what cannot be read is named at once. */
  async *#allOf(source: ImageSource, signal: AbortSignal | undefined): AsyncGenerator<Root> {
    const roots = await listRoots(source, signal);
    const failures = [...this.#failures];
    const [first] = failures;
    if (first === undefined) return yield* roots;
    const images = failures.map(([{ digest, ...named }, error]) => `${nameOf(named)}@${digest}: ${error.message}`);
    const message = `Cannot pull ${this.name}: ${failures.length} of ${this.references.length} images cannot be read: ${images.join("; ")}`;
    const gone = failures.every(([, error]) => error instanceof NotFoundError);
    throw gone ? new NotFoundError(message, { hint: GONE_HINT, cause: first[1] }) : first[1];
  }

  /** Images that could not be read so far. */
  readonly left = (): readonly LeftImage[] =>
    this.#lock?.left ?? [
      ...this.#unexpanded.map(({ image, error }) => ({ name: image.reference, why: leftReason(error) })),
      ...[...this.#failures].map(([reference, error]) => ({ name: nameOf(reference), why: leftReason(error) })),
    ];

  /** Repositories that names do not say. */
  get known(): LockFacts["known"] {
    const repositories = new Map<string, string>();
    for (const { name, registry, repository } of this.references) {
      const from = formatReference({ registry, repository });
      if (name !== undefined && from !== repositoryOf(name)) repositories.set(name, from);
    }
    return {
      imageOf: name => {
        const from = repositories.get(name);
        return from === undefined ? undefined : { from };
      },
    };
  }

  /** @throws PartialError if some images could not be read. */
  settle<Result>(result: Result, hint: string): void {
    const failures = [...this.#unexpanded.map(({ error }) => error), ...this.#failures.values()];
    const total = this.#unexpanded.length + this.references.length;
    if (failures.length === 0) return;
    const head = `Cannot ${this.#verb} ${failures.length} of ${total} images`;
    throw new PartialError(failureText(head, failures), failures, {
      failed: [
        ...this.#unexpanded.map(({ image }) => formatRequested(image)),
        ...this.references.flatMap((one, index) =>
          this.#failures.has(one) ? (this.#resolved[index]?.line ?? []) : [],
        ),
      ],
      result,
      hint,
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.registries[Symbol.asyncDispose]();
    await this.#manifests?.save();
  }

  readonly #onFailed = (reference: FullReference, error: ImgpackError): void => {
    this.#failures.set(reference, error);
    this.#options.onProgress?.({ kind: "planned", images: 1, blobs: 0, bytes: 0 });
    this.#options.onProgress?.(failedImage(nameOf(reference), error));
    // Nothing would be left to write.
    if (this.#lock === undefined && this.#failures.size === this.references.length) throw error;
  };
}
