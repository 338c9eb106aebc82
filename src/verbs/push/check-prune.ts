import type { ImageSource, Root } from "../../content/contracts.ts";
import { noteTo } from "../../content/progress.ts";
import { ArchiveError } from "../../errors.ts";
import type { Digest } from "../../oci/digest.ts";
import { parseReference } from "../../oci/reference.ts";
import type { PushOptions } from "./push-options.ts";

interface Pruned {
  /** The archive. */
  readonly source: ImageSource;
  /** As the archive has it. */
  readonly original: Root;
  /** As it would be pushed. */
  readonly root: Root;
  /** In the archive. */
  readonly names: readonly string[];
  /** As messages name it. */
  readonly pushed: string;
  readonly options: PushOptions;
  readonly signal: AbortSignal | undefined;
}

/**
 * An index that others name by its digest, or that is signed, is not pruned unasked: those who verify it, or pull it by its
 * digest, would find another image, or none.
 *
 * @throws ArchiveError "sparse-index"
 */
export async function checkPrune(pruned: Pruned): Promise<void> {
  const { source, original, root, names, pushed, options, signal } = pruned;
  if (original.kind === "draft" || root.kind === "draft") return;
  const { digest } = original.descriptor;
  if (root.descriptor.digest === digest) return;
  const isPinned = names.some(name => parseReference(name).digest !== undefined);
  const signed = options.referrers === false ? 0 : await countReferrers(source, digest, signal);
  const reasons = [
    ...(isPinned ? ["is pinned by its digest"] : []),
    ...(signed > 0
      ? [`has ${signed === 1 ? "a signature or another referrer" : `${signed} signatures or other referrers`}`]
      : []),
  ];
  if (reasons.length === 0) return;
  const why = reasons.join(" and ");
  if (options.sparse === undefined) {
    throw new ArchiveError(
      "sparse-index",
      `Cannot push ${pushed}: its index ${digest} names what the archive lacks, and ${why}, expected all of it`,
      {
        hint: "Push the index as it is with --sparse keep, or without what is missing with --sparse prune: then its digest changes, and no signature of it fits.",
      },
    );
  }
  noteTo(options.onProgress)(
    `${pushed}: the index ${digest}, which ${why}, becomes ${root.descriptor.digest}: names with its digest and signatures of it no longer fit`,
  );
}

async function countReferrers(source: ImageSource, digest: Digest, signal: AbortSignal | undefined): Promise<number> {
  const { found } = (await source.referrers?.(digest, signal)) ?? { found: [] };
  return new Set(found.map(({ descriptor }) => descriptor.digest)).size;
}
