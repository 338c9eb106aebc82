import { readingAnswer } from "../../../registry/client/registry-answer.ts";
import { readV1Image } from "../../../registry/v1/read-v1-image.ts";
import type { V1Image } from "../../../registry/v1/v1-image.ts";
import type { V1Session } from "../../../registry/v1/v1-store.ts";
import { runBounded } from "../../../util/task-group.ts";
import type { V1Found } from "../expand-v1.ts";
import type { UnknownLayer } from "./measure-layers.ts";
import type { V1Facts } from "./v1-facts.ts";
import type { V1Failures } from "./v1-failures.ts";

/** Images whose chains are read at once; each reads several documents. */
const CONCURRENCY = 4;

/** A tag whose chain was read. */
export interface ReadImage {
  readonly found: V1Found;
  readonly session: V1Session;
  readonly image: V1Image;
}

/** The chains of images, in their order; those that cannot be read are failures. */
export async function readV1Images(
  images: readonly V1Found[],
  failures: V1Failures,
  signal: AbortSignal | undefined,
): Promise<readonly ReadImage[]> {
  const read: (ReadImage | undefined)[] = images.map(() => undefined);
  await runBounded(
    images.entries(),
    CONCURRENCY,
    async ([index, found], stop) => {
      try {
        const session = await readingAnswer(async () => await found.session(stop));
        const image = await readingAnswer(async () => await readV1Image(session, found.tag, stop));
        read[index] = { found, session, image };
      } catch (error) {
        failures.add(found.source, error, stop);
      }
    },
    signal,
  );
  return read.filter(image => image !== undefined);
}

/** Layers that no run has read yet, each once. */
export function unknownLayers(images: readonly ReadImage[], facts: V1Facts): readonly UnknownLayer[] {
  const unknown = new Map<string, UnknownLayer>();
  for (const { image, session } of images)
    for (const layer of image.chain)
      if (facts.find(layer) === undefined && !unknown.has(layer.key)) unknown.set(layer.key, { layer, session });
  return [...unknown.values()];
}
