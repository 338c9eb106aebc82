import { repositoryOf } from "../../archive/lock/plan-lock.ts";
import type { LeftImage } from "../../bundle/lock/lock.ts";
import type { ImageSource } from "../../content/contracts.ts";
import type { OnProgress } from "../../content/progress.ts";
import { type ImgpackError, PartialError, UsageError } from "../../errors.ts";
import { formatReference } from "../../oci/reference.ts";
import { type FullReference, registrySource, type SourceReference } from "../../registry/registry-source.ts";
import type { LockFacts } from "../locking/lock-settings.ts";
import type { Foreign } from "../options/choices.ts";
import type { RegistryOptions } from "../options/registry-options.ts";
import { RegistryPool } from "../shared/registry-pool.ts";
import { readableReference } from "../shared/remote-image.ts";
import { reasonOf } from "./left-reason.ts";
import {
  checkedImages,
  type RequestedImage,
  type ResolvedImage,
  resolveImage,
  sourceReference,
} from "./requested-image.ts";

export interface RequestedSourceOptions {
  readonly registry?: string | RegistryOptions | undefined;
  readonly trustedReferences?: readonly string[] | undefined;
  readonly mirror?: string | readonly string[] | undefined;
  readonly foreign?: Foreign | undefined;
  readonly keepGoing?: boolean | undefined;
  /** Whether what refers to the images is looked for. Default true. */
  readonly referrers?: boolean | undefined;
  readonly onProgress?: OnProgress | undefined;
}

/** Images that a call asks for, at their registries. */
export class RequestedSource implements AsyncDisposable {
  readonly references: readonly SourceReference[];
  readonly registries: RegistryPool;
  readonly #verb: "pull" | "lock";
  readonly #resolved: readonly ResolvedImage[];
  readonly #options: RequestedSourceOptions;
  readonly #failures = new Map<FullReference, ImgpackError>();

  /**
   * No registry is asked yet.
   *
   * @throws UsageError, BadReferenceError
   */
  constructor(
    verb: "pull" | "lock",
    references: readonly (string | RequestedImage)[],
    options: RequestedSourceOptions,
  ) {
    const requested = checkedImages(verb, references);
    if (requested.length === 0) throw new UsageError(`Cannot ${verb}: no image named, expected at least one reference`);
    this.#verb = verb;
    this.#options = options;
    this.#resolved = requested.map(image => resolveImage(image, options.registry));
    this.references = this.#resolved.map(image => sourceReference(verb, image));
    const { registry, trustedReferences } = options;
    const trusted = trustedReferences?.map(text => readableReference(text, registry)) ?? this.references;
    this.registries = new RegistryPool(options, registriesOf(trusted), options.onProgress ?? (() => undefined));
    this.registries.admit(registriesOf(this.references));
  }

  /** As messages name it. */
  get name(): string {
    return this.#resolved.map(({ line }) => line).join(", ");
  }

  /** @param platforms of references without their own. */
  open(platforms: SourceReference["platforms"]): ImageSource {
    const { foreign, keepGoing, referrers } = this.#options;
    return registrySource(this.references, this.registries.repositoryFor, {
      candidatesFor: this.registries.candidatesFor,
      onNote: this.registries.note,
      foreign,
      platforms,
      referrersFinder: referrers === false ? undefined : this.registries.referrersFinder,
      onFailed: keepGoing === true ? this.#onFailed : undefined,
    });
  }

  /** Images that could not be read so far. */
  readonly left = (): readonly LeftImage[] =>
    [...this.#failures].map(([reference, error]) => ({ name: nameOf(reference), why: reasonOf(error) }));

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
    const failures = [...this.#failures.values()];
    if (failures.length === 0) return;
    const messages = failures.map(({ message }) => message).join("; ");
    throw new PartialError(
      `Cannot ${this.#verb} ${failures.length} of ${this.references.length} images: ${messages}`,
      failures,
      {
        failed: this.references.flatMap((one, index) =>
          this.#failures.has(one) ? (this.#resolved[index]?.line ?? []) : [],
        ),
        result,
        hint,
      },
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.registries[Symbol.asyncDispose]();
  }

  readonly #onFailed = (reference: FullReference, error: ImgpackError): void => {
    this.#failures.set(reference, error);
    // Nothing would be left to write.
    if (this.#failures.size === this.references.length) throw error;
  };
}

function nameOf({ name, registry, repository, tag, digest }: SourceReference): string {
  if (name !== undefined) return name;
  return formatReference({
    registry,
    repository,
    ...(tag === undefined ? {} : { tag }),
    ...(digest === undefined ? {} : { digest }),
  });
}

function registriesOf(references: readonly FullReference[]): readonly string[] {
  return references.map(({ registry }) => registry);
}
