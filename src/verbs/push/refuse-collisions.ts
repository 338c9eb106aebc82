import type { ImageSource, Root } from "../../content/contracts.ts";
import { gather } from "../../copy/gather.ts";
import { collisionError, findCollisions } from "../../oci/names/target-collisions.ts";
import { idOf } from "../shared/choose-image.ts";
import type { Destinations } from "../shared/destinations.ts";
import type { PushRun } from "./push-to-repository.ts";

interface Image {
  readonly source: ImageSource;
  readonly root: Root;
}

/** @throws UsageError for two images that would get one name, by the names that they have now. */
export async function refuseCollisions(
  archives: readonly (Pick<Destinations, "used"> & { readonly source: ImageSource })[],
  { names, options: { signal } }: PushRun,
): Promise<void> {
  const landings = archives.flatMap(({ source, used }) =>
    used.map(({ root, name }) => ({ name, image: { source, root }, claims: names.claims(name) })),
  );
  const found = await findCollisions(landings, async (first, second) => await isSameImage(first, second, signal));
  if (found.length > 0) throw collisionError("push", found);
}

/** Of an image without a manifest, the config decides: it is compared with those of the other one. */
async function isSameImage(first: Image, second: Image, signal: AbortSignal | undefined): Promise<boolean> {
  if (idOf(first.root) === idOf(second.root)) return true;
  if (first.root.kind === second.root.kind) return false;
  const [draft, settled] = first.root.kind === "draft" ? [first, second] : [second, first];
  const { manifests } = await gather(settled.source, [settled.root], signal, undefined, () => undefined);
  const config = idOf(draft.root);
  return [...manifests.values()].some(({ view }) => view.kind === "image" && view.config.digest === config);
}
