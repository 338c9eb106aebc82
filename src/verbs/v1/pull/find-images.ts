import { noteTo } from "../../../content/progress.ts";
import type { PullOptions } from "../../pull-options.ts";
import type { RequestedImage } from "../../requested/requested-image.ts";
import { type ExpandedV1, expandV1, type V1Found } from "../expand-v1.ts";
import { nameV1Images } from "../name-v1-images.ts";
import type { RescueLedger } from "../report/rescue-ledger.ts";
import type { V1Stores } from "../v1-stores.ts";
import { type ReadImage, readV1Images } from "./read-v1-images.ts";
import { V1Failures } from "./v1-failures.ts";

/** What a pull is about, before a layer is read. */
export interface FoundImages {
  readonly expanded: ExpandedV1;
  /** In the archive. */
  readonly names: ReadonlyMap<V1Found, string>;
  /** Images whose chains were read. */
  readonly read: readonly ReadImage[];
  /** Grows while layers are read. */
  readonly failures: V1Failures;
}

/**
 * The images that are wanted, with their names in the archive and their chains. Failures are collected, with `keepGoing`.
 *
 * @throws as `expandV1` and `readV1Image`; the first failure, if no image is left.
 */
export async function findImages(
  requested: readonly RequestedImage[],
  stores: V1Stores,
  ledger: RescueLedger,
  { keepGoing = false, onProgress, signal }: PullOptions,
): Promise<FoundImages> {
  const onNote = noteTo(onProgress);
  const expanded = await expandV1(requested, { stores, keepGoing, onNote, signal });
  const { images, repositories, repositoriesWithoutTags: empty } = expanded;
  ledger.list(
    images.map(({ source }) => source),
    repositories,
    empty,
  );
  const { names, failed } = nameV1Images(expanded, onNote);
  const failures = new V1Failures(keepGoing, (source, error) => ledger.failAll(source, error));
  for (const { source, error } of [...expanded.failed, ...failed]) failures.add(source, error, signal);
  const named = images.filter(image => names.has(image));
  const read = await readV1Images(named, failures, signal);
  failures.checkLeft(read.length);
  if (empty > 0) onNote(`${empty} of ${repositories} repositories without tags`);
  return { expanded, names, read, failures };
}

/** Images of which no layer has failed so far. @throws the first failure, if none is left. */
export function imagesLeft({ read, failures }: Pick<FoundImages, "read" | "failures">): readonly ReadImage[] {
  const images = read.filter(({ found }) => !failures.has(found.source));
  failures.checkLeft(images.length);
  return images;
}
