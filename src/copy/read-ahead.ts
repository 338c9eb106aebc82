import type { ImageSource, PlannedManifest } from "../content/contracts.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import { MAX_INDEX_DEPTH } from "../oci/limits.ts";
import type { ManifestView } from "../oci/manifest.ts";
import { isManifestType } from "../oci/media-types.ts";
import { runBounded } from "../util/task-group.ts";

/** Requests of manifests at once: they are small, so that only the way there and back takes time. */
const MANIFESTS_AT_ONCE = 8;

/** The children of a manifest that are copied; the manifest's own bytes do not change. */
export type SelectChildren = (view: ManifestView, parent: Descriptor) => readonly Descriptor[];
export type ReadManifest = (
  source: ImageSource,
  descriptor: Descriptor,
  signal: AbortSignal | undefined,
) => Promise<PlannedManifest>;

/** A manifest that was read, or why it was not. */
export type ReadOutcome = { readonly planned: PlannedManifest } | { readonly error: unknown };

/**
 * Reads the manifests of several images at once, those of one level after those of the level above. What is found decides
 * nothing: the caller visits them in its own order, and reads what is not here itself.
 *
 * @param maxBytes stops reading when the manifests have more.
 */
export async function readAhead(
  source: ImageSource,
  roots: readonly Descriptor[],
  {
    select,
    read,
    maxBytes,
  }: { readonly select: SelectChildren; readonly read: ReadManifest; readonly maxBytes: number },
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<string, ReadOutcome>> {
  const outcomes = new Map<string, ReadOutcome>();
  let bytes = 0;
  let level = roots;
  for (let depth = 1; depth <= MAX_INDEX_DEPTH && level.length > 1 && bytes <= maxBytes; depth += 1) {
    const fresh = [...new Map(level.map(one => [readKey(one), one])).values()].filter(
      one => !outcomes.has(readKey(one)),
    );
    await runBounded(
      fresh,
      MANIFESTS_AT_ONCE,
      async (descriptor, own) => {
        if (bytes > maxBytes) return;
        try {
          const planned = await read(source, descriptor, own);
          bytes += planned.bytes.length;
          outcomes.set(readKey(descriptor), { planned });
        } catch (error) {
          own.throwIfAborted();
          outcomes.set(readKey(descriptor), { error });
        }
      },
      signal,
    );
    level = fresh.flatMap(descriptor => childrenOf(outcomes.get(readKey(descriptor)), descriptor, select));
  }
  return outcomes;
}

/** A manifest that is announced as two types is read as each of them. */
export function readKey({ digest, mediaType }: Descriptor): string {
  return `${digest} ${mediaType}`;
}

/** The caller makes the same choice again, and throws if there is none. */
function childrenOf(
  outcome: ReadOutcome | undefined,
  parent: Descriptor,
  select: SelectChildren,
): readonly Descriptor[] {
  if (outcome === undefined || "error" in outcome) return [];
  try {
    return select(outcome.planned.view, parent).filter(({ mediaType }) => isManifestType(mediaType));
  } catch {
    return [];
  }
}
