import type { CopyPlan, FoundReferrers, ImageSource, Referrer, Root, RootReferrers } from "../content/contracts.ts";
import { type OnProgress, stepTo } from "../content/progress.ts";
import { readManifestBytes } from "../content/read-manifest-bytes.ts";
import { ArchiveError, AuthError, isMissingBlob, NotFoundError } from "../errors.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import type { Digest } from "../oci/digest.ts";
import { parseManifest } from "../oci/manifest.ts";
import { isManifestType } from "../oci/media-types.ts";
import { artifactTypeOf } from "../oci/referrers/referrer-kind.ts";
import { leastLookup } from "../oci/referrers/referrers-lookup.ts";
import { append } from "../util/append.ts";
import { quote } from "../util/format.ts";
import { runBounded } from "../util/task-group.ts";
import { atEnd } from "./copy-ends.ts";

export interface FindReferrersOptions {
  /** The roots as the source has them, in the order of the plan's: what refers to one that changed is left out. */
  readonly originals: readonly Root[];
  readonly onNote: (message: string) => void;
  readonly onProgress?: OnProgress | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Of one root. Real images have a few. */
const MAX_REFERRERS = 1000;
/** An image, its SBOM, the signature of that, and room for more. */
const MAX_LEVELS = 8;
const IMAGES_AT_ONCE = 6;
const MANIFESTS_AT_ONCE = 4;

/**
 * Finds what refers to the planned images: to each root, to the manifests below it that are carried, and to what was found.
 * What a list claims counts only if the referrer's own manifest says so, because lists lie (NVIDIA/aicr#1957).
 *
 * @returns the roots of the plan, with `referrers`. The plan does not contain these yet.
 * @throws ArchiveError "graph-too-large" for more than 1000 of one image; as the source.
 */
export async function findReferrers(
  source: ImageSource,
  plan: CopyPlan,
  options: FindReferrersOptions,
): Promise<readonly Root[]> {
  const ask = source.referrers?.bind(source);
  if (ask === undefined) return plan.roots;
  const found = new Map<Root, RootReferrers>();
  const onRoot = stepTo(options.onProgress, "referrers", plan.roots.length);
  const find = async ([index, root]: readonly [number, Root], signal: AbortSignal): Promise<void> => {
    onRoot();
    if (root.kind === "draft") return;
    const search = new ReferrersSearch({ source, ask, plan, onNote: options.onNote, signal });
    found.set(root, await search.run(root.descriptor.digest, options.originals[index]));
  };
  await atEnd("source", async () => await runBounded([...plan.roots.entries()], IMAGES_AT_ONCE, find, options.signal));
  return plan.roots.map(root => {
    const referrers = found.get(root);
    return referrers === undefined ? root : { ...root, referrers };
  });
}

interface SearchContext {
  readonly source: ImageSource;
  readonly ask: (subject: Digest, signal?: AbortSignal) => Promise<FoundReferrers>;
  readonly plan: CopyPlan;
  readonly onNote: (message: string) => void;
  readonly signal: AbortSignal;
}

class ReferrersSearch {
  readonly #context: SearchContext;
  readonly #answers: FoundReferrers[] = [];
  readonly #found: Referrer[] = [];
  readonly #claimed = new Set<Digest>();

  constructor(context: SearchContext) {
    this.#context = context;
  }

  async run(root: Digest, original: Root | undefined): Promise<RootReferrers> {
    const { carried, absent } = manifestsBelow(this.#context.plan, root);
    const known = new Set(carried);
    for (let depth = 1, subjects: readonly Digest[] = [...carried]; subjects.length > 0; depth += 1) {
      if (depth > MAX_LEVELS) throw tooMany(root, `chains of more than ${MAX_LEVELS}`, `chains of ${MAX_LEVELS}`);
      const level = await this.#level(root, subjects, carried);
      subjects = level.map(({ descriptor }) => descriptor.digest).filter(digest => !known.has(digest));
      for (const digest of subjects) known.add(digest);
    }
    const lookup = leastLookup(this.#answers.map(({ lookup }) => lookup));
    const changed =
      original?.kind === "settled" && original.descriptor.digest !== root ? [original.descriptor.digest] : [];
    // Each costs a request: an image without signatures has none on its other platforms either.
    const others = [...changed, ...(this.#found.length > 0 ? absent : [])];
    const leftOut = await this.#count(
      others.filter(digest => !known.has(digest)),
      known,
    );
    return { ...(lookup === undefined ? {} : { lookup }), found: this.#found, leftOut };
  }

  /** What refers to some manifests, sorted. */
  async #level(root: Digest, subjects: readonly Digest[], carried: ReadonlySet<Digest>): Promise<readonly Referrer[]> {
    const answers = await this.#askAll(subjects);
    append(this.#answers, answers);
    const claims = answers.flatMap(({ found }) => found);
    // Attestations of a build have a subject, and are entries of the index as well.
    const fresh = claims.filter(({ descriptor }) => !carried.has(descriptor.digest));
    for (const { descriptor } of fresh) this.#claimed.add(descriptor.digest);
    if (this.#claimed.size > MAX_REFERRERS)
      throw tooMany(root, `more than ${MAX_REFERRERS}`, `at most ${MAX_REFERRERS}`);
    const checked: (Referrer | undefined)[] = [];
    await this.#bounded(fresh, async (claim, index, signal) => {
      checked[index] = await this.#check(claim, signal);
    });
    const level = united(checked.filter(referrer => referrer !== undefined));
    append(this.#found, level);
    return level;
  }

  /** The referrer as its manifest describes it. Undefined if it is gone, or refers to something else. */
  async #check({ descriptor, subject, tag }: Referrer, signal: AbortSignal): Promise<Referrer | undefined> {
    const { source, onNote } = this.#context;
    const { digest } = descriptor;
    const where = `manifest ${digest}`;
    try {
      const bytes = await readManifestBytes(source, descriptor, where, signal);
      const view = parseManifest(bytes, { where });
      const isSubject = subject !== undefined && view.subject?.digest === subject;
      if (!isSubject && tag === undefined) {
        const found = view.subject === undefined ? "no subject" : `subject ${view.subject.digest}`;
        onNote(`Ignoring ${digest}, which is listed as referring to ${subject}: its manifest has ${found}`);
        return undefined;
      }
      const artifactType = artifactTypeOf(view);
      const { mediaType, annotations } = view;
      const described: Descriptor = {
        mediaType,
        digest,
        size: bytes.length,
        ...(artifactType === undefined ? {} : { artifactType }),
        ...(annotations === undefined ? {} : { annotations }),
      };
      return {
        descriptor: described,
        ...(isSubject ? { subject } : {}),
        ...(tag === undefined ? {} : { tag }),
      };
    } catch (error) {
      signal.throwIfAborted();
      const found = skippable(error);
      if (found === undefined) throw error;
      if (error instanceof AuthError) this.#answers.push({ lookup: "refused", found: [] });
      onNote(`Ignoring ${digest}, which is listed as referring to ${subject ?? quote(tag ?? "")}: ${found}`);
      return undefined;
    }
  }

  async #count(subjects: readonly Digest[], known: ReadonlySet<Digest>): Promise<number> {
    const claims = (await this.#askAll(subjects)).flatMap(({ found }) => found);
    return new Set(claims.map(({ descriptor }) => descriptor.digest).filter(digest => !known.has(digest))).size;
  }

  async #askAll(subjects: readonly Digest[]): Promise<readonly FoundReferrers[]> {
    const answers: FoundReferrers[] = [];
    await this.#bounded(subjects, async (subject, index, signal) => {
      answers[index] = await this.#context.ask(subject, signal);
    });
    return answers;
  }

  async #bounded<T>(
    items: readonly T[],
    task: (item: T, index: number, signal: AbortSignal) => Promise<void>,
  ): Promise<void> {
    const run = async ([index, item]: readonly [number, T], signal: AbortSignal): Promise<void> =>
      await task(item, index, signal);
    await runBounded([...items.entries()], MANIFESTS_AT_ONCE, run, this.#context.signal);
  }
}

/** Why one referrer cannot be read, which does not stop the others. Undefined for other faults. */
function skippable(error: unknown): string | undefined {
  if (error instanceof NotFoundError || isMissingBlob(error)) return "it is not there";
  if (error instanceof AuthError || error instanceof ArchiveError) return error.message;
  return error instanceof Error && error.cause instanceof ArchiveError ? error.message : undefined;
}

/** Sorted by digest and tag; one that was found by subject and by tag is one. */
function united(referrers: readonly Referrer[]): readonly Referrer[] {
  const bySubject = new Map<Digest, Referrer>();
  const tagged: Referrer[] = [];
  for (const referrer of referrers) {
    if (referrer.tag === undefined) bySubject.set(referrer.descriptor.digest, referrer);
    else tagged.push(referrer);
  }
  const byTag = new Map<string, Referrer>();
  for (const referrer of tagged) {
    const { digest } = referrer.descriptor;
    const { subject } = bySubject.get(digest) ?? referrer;
    bySubject.delete(digest);
    byTag.set(`${digest} ${referrer.tag}`, { ...referrer, ...(subject === undefined ? {} : { subject }) });
  }
  const keyOf = ({ descriptor, tag = "" }: Referrer): string => `${descriptor.digest} ${tag}`;
  return [...bySubject.values(), ...byTag.values()].sort((left, right) => (keyOf(left) < keyOf(right) ? -1 : 1));
}

/** The manifests below a root that are carried, itself included, and those that its indexes name in addition. */
function manifestsBelow(
  { manifests }: CopyPlan,
  root: Digest,
): { readonly carried: ReadonlySet<Digest>; readonly absent: readonly Digest[] } {
  const carried = new Set<Digest>();
  const absent = new Set<Digest>();
  const walk = (digest: Digest): void => {
    const view = manifests.get(digest)?.view;
    if (view === undefined) absent.add(digest);
    if (view === undefined || carried.has(digest)) return;
    carried.add(digest);
    if (view.kind !== "index") return;
    for (const child of view.manifests) if (isManifestType(child.mediaType)) walk(child.digest);
  };
  walk(root);
  return { carried, absent: [...absent] };
}

function tooMany(root: Digest, found: string, expected: string): ArchiveError {
  return new ArchiveError(
    "graph-too-large",
    `Cannot read what refers to ${root}: found ${found} referrers, expected ${expected}`,
    { hint: "Leave them out with --no-referrers." },
  );
}
