import type { Root } from "../content/contracts.ts";
import { ImgpackError, InternalError } from "../errors.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import type { Digest } from "../oci/digest.ts";
import { foldNames } from "../oci/names/pinned-names.ts";
import { formatReference } from "../oci/reference.ts";
import { deferred } from "../util/promises.ts";
import { runBounded, TaskGroup } from "../util/task-group.ts";
import type { FullReference, SourceReference } from "./source-reference.ts";

/** What a reference leads to. */
export interface FetchedRoot {
  readonly descriptor: Descriptor;
  /** Called in the order of the references, so that each run finds a blob in the same repository. */
  readonly keep: () => Promise<void>;
}

/** @param onNote is called with what to say of this reference. */
export type FetchRoot = (
  reference: SourceReference,
  onNote: (text: string) => void,
  signal: AbortSignal,
) => Promise<FetchedRoot>;

export interface ReadRootsOptions {
  /** Of references without their own, if others that lead to the same image have some. */
  readonly platforms?: SourceReference["platforms"];
  readonly onNote?: ((text: string) => void) | undefined;
  /** Called after each reference that was looked up. */
  readonly onRead?: (() => void) | undefined;
  /** Called with images that cannot be fetched; by default they are an error. */
  readonly onFailed?: ((reference: FullReference, error: ImgpackError) => void) | undefined;
  /** Called with each image, several at once; one that it rejects has failed. */
  readonly check?: ((root: Root, signal: AbortSignal) => Promise<void>) | undefined;
}

/** Requests of manifests at once: they are small, so that only the way there and back takes time. */
const ROOTS_AT_ONCE = 8;

type Outcome = { readonly notes: readonly string[] } & (
  | { readonly root: FetchedRoot }
  | { readonly error: ImgpackError }
);

/**
 * Reads what references lead to, several at once. Roots, notes and failures come in the order of the references. References
 * that lead to the same image are one root; in its names, `repository:tag@digest` says what `repository:tag` and
 * `repository@digest` do.
 */
export async function* readRoots(
  references: readonly SourceReference[],
  fetch: FetchRoot,
  { platforms: otherwise, onNote, onRead, onFailed, check }: ReadRootsOptions,
  signal: AbortSignal | undefined,
): AsyncGenerator<Root> {
  const found = new Map<Digest, FoundRoot>();
  await using tasks = new TaskGroup(ROOTS_AT_ONCE, signal);
  const outcomes = new Map<number, Outcome>();
  let next = deferred<void>();
  const wake = (): void => {
    next.resolve();
    next = deferred();
  };
  const read = async ([index, reference]: readonly [number, SourceReference], own: AbortSignal): Promise<void> => {
    try {
      outcomes.set(index, await outcomeOf(fetch, reference, own));
      onRead?.();
    } finally {
      wake();
    }
  };
  void tasks.startEach(references.entries(), read).finally(wake);
  for (const [index, reference] of references.entries()) {
    while (!outcomes.has(index)) {
      tasks.check();
      await next.promise;
    }
    tasks.check();
    const outcome = outcomes.get(index);
    if (outcome === undefined) throw new InternalError(`Cannot read ${reference.repository}: no outcome`);
    outcomes.delete(index);
    for (const text of outcome.notes) onNote?.(text);
    if ("error" in outcome) {
      try {
        if (onFailed === undefined) throw outcome.error;
        onFailed(reference, outcome.error);
      } catch (error) {
        tasks.fail(error);
        throw error;
      }
      continue;
    }
    const { descriptor, keep } = outcome.root;
    await keep();
    const known = found.get(descriptor.digest);
    if (known === undefined) found.set(descriptor.digest, { descriptor, references: [reference] });
    else known.references.push(reference);
  }
  const all = [...found.values()].map(one => ({ ...one, root: rootOf(one, otherwise) }));
  const faults =
    check === undefined
      ? []
      : await faultsOf(
          all.map(({ root }) => root),
          check,
          signal,
        );
  for (const [index, { root, references: leading }] of all.entries()) {
    const fault = faults[index];
    if (fault === undefined) {
      yield root;
      continue;
    }
    if (onFailed === undefined) throw fault;
    for (const reference of leading) onFailed(reference, fault);
  }
}

/** What is wrong with each root, by its position. */
async function faultsOf(
  roots: readonly Root[],
  check: (root: Root, signal: AbortSignal) => Promise<void>,
  signal: AbortSignal | undefined,
): Promise<readonly (ImgpackError | undefined)[]> {
  const faults: (ImgpackError | undefined)[] = [];
  const checkOne = async ([index, root]: readonly [number, Root], own: AbortSignal): Promise<void> => {
    try {
      await check(root, own);
    } catch (error) {
      own.throwIfAborted();
      if (!(error instanceof ImgpackError)) throw error;
      faults[index] = error;
    }
  };
  await runBounded([...roots.entries()], ROOTS_AT_ONCE, checkOne, signal);
  return faults;
}

function rootOf({ descriptor, references }: FoundRoot, otherwise: SourceReference["platforms"]): Root {
  const names = references.map(nameOf);
  return {
    kind: "settled",
    names: foldNames([...new Set(names)]),
    descriptor,
    platforms: joined(
      references.map(({ platforms }) => platforms),
      otherwise,
    ),
  };
}

/** Only faults that have a type belong to one image; others stop the run. */
async function outcomeOf(fetch: FetchRoot, reference: SourceReference, signal: AbortSignal): Promise<Outcome> {
  const notes: string[] = [];
  try {
    return { notes, root: await fetch(reference, text => notes.push(text), signal) };
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof ImgpackError) return { notes, error };
    throw error;
  }
}

/** The name that the root gets. */
export function nameOf({ name, registry, repository, tag, digest }: SourceReference): string {
  const key = { ...(tag === undefined ? {} : { tag }), ...(digest === undefined ? {} : { digest }) };
  return name ?? formatReference({ registry, repository, ...key });
}

interface FoundRoot {
  readonly descriptor: Descriptor;
  /** Those that lead to it. */
  readonly references: SourceReference[];
}

/** What several references together choose; undefined if none has a choice of its own. */
function joined(
  choices: readonly SourceReference["platforms"][],
  otherwise: SourceReference["platforms"],
): SourceReference["platforms"] {
  if (choices.every(choice => choice === undefined)) return undefined;
  const all = choices.map(choice => choice ?? otherwise ?? "all");
  return all.includes("all") ? "all" : all.flatMap(choice => (choice === "all" ? [] : choice));
}
