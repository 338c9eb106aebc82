import { resolve } from "node:path";
import type { Digest } from "../oci/digest.ts";
import { type SweptStore, sweepStore } from "../serve/garbage/sweep-store.ts";
import { checkedOptions, type OptionsShape } from "../util/options/checked-options.ts";
import { FLAG, listener, SIGNAL } from "../util/options/option-kinds.ts";
import { checkText } from "./options/option-values.ts";

/** Options of `collectGarbage`. */
export interface GarbageOptions {
  /** Removes what was found. Default false: nothing is changed. */
  readonly remove?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Is called with a sentence about what takes long. */
  readonly onNote?: ((message: string) => void) | undefined;
}

/** What no manifest of a store reaches. */
export interface GarbageResult {
  /** Whether it was removed. */
  readonly removed: boolean;
  readonly repositories: number;
  readonly manifests: number;
  /** Manifests that no tag leads to. They stay, with what they need, until they are deleted by digest. */
  readonly untagged: readonly { readonly repository: string; readonly digest: Digest }[];
  /** Blobs that belong to a repository, and that no manifest of it reaches. */
  readonly links: readonly { readonly repository: string; readonly digest: Digest }[];
  /** Content that no repository needs, with its bytes on the disk. */
  readonly content: readonly { readonly digest: Digest; readonly size: number }[];
  /** Bytes of `content`. */
  readonly bytes: number;
  /** Files that cannot be read, and what was found. What they may refer to stays. */
  readonly kept: readonly { readonly path: string; readonly found: string }[];
}

const GARBAGE_OPTIONS: OptionsShape<GarbageOptions> = { remove: FLAG, signal: SIGNAL, onNote: listener<string>() };

/**
 * Finds, and on demand removes, what no manifest of a store needs: blobs of images that were deleted or replaced, and of pushes
 * that did not end. All manifests count, with and without a tag. No server may run on the store.
 *
 * @param store folder that `serve` writes.
 * @throws StorageError for a folder that is no store, or that is in use.
 * @example
 * ```ts
 * import { collectGarbage } from "imgpack";
 *
 * const { bytes } = await collectGarbage("registry");
 * if (bytes > 1e9) await collectGarbage("registry", { remove: true });
 * ```
 */
export async function collectGarbage(store: string, options: GarbageOptions = {}): Promise<GarbageResult> {
  checkText("find garbage", "the folder of a store", store);
  const { remove = false, signal, onNote = () => undefined } = checkedOptions(options, GARBAGE_OPTIONS);
  const { doubts, ...found }: SweptStore = await sweepStore(resolve(store), { isRemoving: remove, onNote, signal });
  const bytes = found.content.reduce((sum, { size }) => sum + size, 0);
  return { removed: remove, ...found, bytes, kept: doubts };
}
