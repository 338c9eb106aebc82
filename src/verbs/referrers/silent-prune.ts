import type { ImageSource, Root } from "../../content/contracts.ts";
import { derivedSource } from "../../content/derived-source.ts";
import { noteTo, type OnProgress } from "../../content/progress.ts";
import { ArchiveError } from "../../errors.ts";
import type { Digest } from "../../oci/digest.ts";
import { parseReference } from "../../oci/reference.ts";
import type { Sparse } from "../options/choices.ts";

export interface SilentPruneOptions {
  readonly verb: "push" | "convert";
  /** The archive. */
  readonly source: ImageSource;
  /** The images as the archive has them, in the order of those that are pruned. */
  readonly originals: readonly Root[];
  /** The names that the archive has for an image, which may go under another one. */
  readonly namesOf: (original: Root) => readonly string[];
  /** Names an image in messages. */
  readonly labelOf: (original: Root) => string;
  /** As the user said; undefined for the default. */
  readonly sparse?: Sparse | undefined;
  /** False if what refers to images is left out. */
  readonly referrers?: boolean | undefined;
  readonly onProgress?: OnProgress | undefined;
}

/**
 * Refuses to prune unasked an index that others name by its digest, or that is signed: those who verify it, or pull it by its
 * digest, would find another image, or none.
 *
 * @param pruned the archive as `pruneSparse` changes it; its roots throw ArchiveError "sparse-index".
 */
export function withoutSilentPrune(pruned: ImageSource, options: SilentPruneOptions): ImageSource {
  return derivedSource(pruned, {
    async *roots(signal) {
      let index = 0;
      for await (const root of pruned.roots(signal)) {
        const original = options.originals[index];
        index += 1;
        if (original !== undefined) await checkPruned(original, root, options, signal);
        yield root;
      }
    },
  });
}

async function checkPruned(
  original: Root,
  root: Root,
  { verb, source, namesOf, labelOf, sparse, referrers, onProgress }: SilentPruneOptions,
  signal: AbortSignal | undefined,
): Promise<void> {
  if (original.kind === "draft" || root.kind === "draft") return;
  const { digest } = original.descriptor;
  if (root.descriptor.digest === digest) return;
  const isPinned = namesOf(original).some(name => parseReference(name).digest !== undefined);
  const signed = referrers === false ? 0 : await countReferrers(source, digest, signal);
  const reasons = [
    ...(isPinned ? ["is pinned by its digest"] : []),
    ...(signed > 0
      ? [`has ${signed === 1 ? "a signature or another referrer" : `${signed} signatures or other referrers`}`]
      : []),
  ];
  if (reasons.length === 0) return;
  const why = reasons.join(" and ");
  const label = labelOf(original);
  if (sparse === undefined) {
    throw new ArchiveError(
      "sparse-index",
      `Cannot ${verb} ${label}: its index ${digest} names what the archive lacks, and ${why}, expected all of it`,
      {
        hint: "Keep the index as it is with --sparse keep, or drop what is missing from it with --sparse prune: then its digest changes, and no signature of it fits.",
      },
    );
  }
  noteTo(onProgress)(
    `${label}: the index ${digest}, which ${why}, becomes ${root.descriptor.digest}: names with its digest and signatures of it no longer fit`,
  );
}

async function countReferrers(source: ImageSource, digest: Digest, signal: AbortSignal | undefined): Promise<number> {
  const { found } = (await source.referrers?.(digest, signal)) ?? { found: [] };
  return new Set(found.map(({ descriptor }) => descriptor.digest)).size;
}
