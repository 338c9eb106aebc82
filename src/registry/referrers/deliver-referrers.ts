import type { Referrer } from "../../content/contracts.ts";
import { ImgpackError, InternalError, NetworkError, NotFoundError, RegistryError } from "../../errors.ts";
import type { Descriptor } from "../../oci/descriptor.ts";
import type { Digest } from "../../oci/digest.ts";
import type { RawManifest } from "../../oci/manifest.ts";
import { putManifest } from "../api/put-manifest.ts";
import { askReferrers } from "../api/referrers.ts";
import { resolveDigest } from "../api/resolve-digest.ts";
import type { Repository } from "../client/repository.ts";
import { sleepFor } from "../http/retry.ts";
import { addToFallbackIndex, readFallbackIndex } from "./fallback-index.ts";

/** A referrer that the registry did not take, or does not list. */
export interface UndeliveredReferrer {
  readonly referrer: Referrer;
  readonly error: ImgpackError;
}

export interface DeliverOptions {
  readonly repository: Repository;
  /** Subjects before what refers to them; their blobs are there already. */
  readonly referrers: readonly Referrer[];
  readonly manifestOf: (digest: Digest) => RawManifest | undefined;
  readonly onNote: (message: string) => void;
  readonly signal: AbortSignal | undefined;
}

/** Some registries list a manifest a moment after they have taken it. */
const LIST_PAUSES_MS = [200, 800] as const;

/**
 * Puts referrers into the repository of their image, as far as they are not there, so that the registry lists them: by its
 * referrers API, or else by the index under a tag; cosign's tags are put as they are. A refusal does not stop the others.
 *
 * @returns those that the registry refuses.
 * @throws NetworkError
 */
export async function deliverReferrers(options: DeliverOptions): Promise<readonly UndeliveredReferrer[]> {
  const { referrers, signal } = options;
  const delivery = new Delivery(options);
  const done = new Set<Digest>();
  for (const { subject } of referrers) {
    if (subject === undefined || done.has(subject)) continue;
    done.add(subject);
    const members = referrers.filter(referrer => referrer.subject === subject);
    await delivery.attempt(members, async () => await delivery.deliver(subject, members));
  }
  for (const referrer of referrers) {
    const { tag } = referrer;
    if (tag !== undefined) await delivery.attempt([referrer], async () => await delivery.tag(tag, referrer));
  }
  signal?.throwIfAborted();
  return delivery.failures;
}

class Delivery {
  readonly failures: UndeliveredReferrer[] = [];
  readonly #options: DeliverOptions;

  constructor(options: DeliverOptions) {
    this.#options = options;
  }

  /** Runs a task for some referrers, which all count as undelivered if it fails. */
  async attempt(referrers: readonly Referrer[], task: () => Promise<void>): Promise<boolean> {
    try {
      await task();
      return true;
    } catch (error) {
      this.#options.signal?.throwIfAborted();
      const isRefusal =
        error instanceof ImgpackError && !(error instanceof NetworkError || error instanceof InternalError);
      if (!isRefusal) throw error;
      for (const referrer of referrers) {
        const isKnown = this.failures.some(failure => failure.referrer === referrer);
        if (!isKnown) this.failures.push({ referrer, error });
      }
      return false;
    }
  }

  /** @param members all that refer to the subject. */
  async deliver(subject: Digest, members: readonly Referrer[]): Promise<void> {
    const { repository, signal } = this.#options;
    const before = await askReferrers(repository, subject, undefined, signal);
    const hasApi = before.lookup === "complete";
    const listed = hasApi ? digestsOf(before.referrers) : await this.#indexed(subject);
    const there = await this.#present(members.filter(({ descriptor }) => listed.has(descriptor.digest)));
    const missing = members.filter(referrer => !there.has(referrer));
    const put: Referrer[] = [];
    let isSubjectKnown = false;
    for (const referrer of missing) {
      const isPut = await this.attempt([referrer], async () => {
        isSubjectKnown = (await this.#put(referrer.descriptor.digest, referrer.descriptor)) || isSubjectKnown;
      });
      if (isPut) put.push(referrer);
    }
    if (put.length === 0) return;
    const unlisted = hasApi || isSubjectKnown ? await this.#unlisted(subject, put, hasApi) : put;
    if (unlisted.length === 0) return;
    if (hasApi) {
      await this.attempt(unlisted, async () => await Promise.reject(notListed(repository, subject, unlisted)));
      return;
    }
    const entries = unlisted.map(({ descriptor }) => descriptor);
    await this.attempt(unlisted, async () => await addToFallbackIndex(repository, subject, entries, signal));
  }

  async tag(tag: string, { descriptor }: Referrer): Promise<void> {
    const { repository, onNote, signal } = this.#options;
    const there = await resolveDigest(repository, tag, signal).catch((error: unknown) => {
      if (error instanceof NotFoundError) return undefined;
      throw error;
    });
    // A registry may not let anyone write to a tag again.
    if (there?.digest === descriptor.digest) return;
    if (there !== undefined) onNote(`${repository}:${tag} was ${there.digest}, and becomes ${descriptor.digest}`);
    await this.#put(tag, descriptor);
  }

  /** @returns whether the registry says that it knows the subject (specification, "Pushing Manifests with Subject"). */
  async #put(reference: string, { digest }: Descriptor): Promise<boolean> {
    const { repository, manifestOf, signal } = this.#options;
    const manifest = manifestOf(digest);
    if (manifest === undefined) throw new InternalError(`Cannot push referrer ${digest}: the plan lacks its manifest`);
    return (await putManifest(repository, reference, manifest, digest, { signal })).isSubjectKnown;
  }

  async #indexed(subject: Digest): Promise<ReadonlySet<Digest>> {
    const { repository, signal } = this.#options;
    return (await readFallbackIndex(repository, subject, signal))?.digests ?? new Set();
  }

  /** Those that the registry has: a list may name what was deleted. */
  async #present(listed: readonly Referrer[]): Promise<ReadonlySet<Referrer>> {
    const { repository, signal } = this.#options;
    const there = new Set<Referrer>();
    for (const referrer of listed) {
      try {
        await resolveDigest(repository, referrer.descriptor.digest, signal);
        there.add(referrer);
      } catch (error) {
        if (!(error instanceof NotFoundError)) throw error;
      }
    }
    return there;
  }

  async #unlisted(subject: Digest, put: readonly Referrer[], isPatient: boolean): Promise<readonly Referrer[]> {
    const { repository, signal } = this.#options;
    for (const pauseMs of [...(isPatient ? LIST_PAUSES_MS : []), undefined]) {
      const { referrers } = await askReferrers(repository, subject, undefined, signal);
      const listed = digestsOf(referrers);
      const unlisted = put.filter(({ descriptor }) => !listed.has(descriptor.digest));
      if (unlisted.length === 0 || pauseMs === undefined) return unlisted;
      await sleepFor(pauseMs, signal);
    }
    return [];
  }
}

function digestsOf(found: readonly Descriptor[]): ReadonlySet<Digest> {
  return new Set(found.map(({ digest }) => digest));
}

function notListed(repository: Repository, subject: Digest, unlisted: readonly Referrer[]): RegistryError {
  const names = unlisted.map(({ descriptor }) => descriptor.digest).join(", ");
  return new RegistryError(
    `Cannot push referrers of ${subject} to ${repository}: the registry took ${names} and does not list it, expected it in the list`,
    { status: 200, hint: "Wait a minute, and run the same command again." },
  );
}
