import type { Root } from "../../../content/contracts.ts";
import { UsageError } from "../../../errors.ts";
import { mapImageName } from "../../../oci/names/image-mapping.ts";
import { tagNameOf } from "../../../oci/names/pinned-names.ts";
import { parseReference } from "../../../oci/reference.ts";
import { readMapping } from "../../options/mapping-options.ts";
import { listOf } from "../../options/option-values.ts";
import type { PushOptions } from "../../push/push-options.ts";
import { chooseImage, idOf } from "../../shared/choose-image.ts";
import { parseV1Prefix, v1TargetBelow } from "./v1-prefix.ts";
import { formatV1Target, parseV1Target, type V1Target } from "./v1-target.ts";

/** Where an image of an archive goes. */
export interface V1Destination {
  readonly root: Root;
  readonly targets: readonly Required<V1Target>[];
}

type NameOptions = Pick<PushOptions, "to" | "tag" | "image" | "layout" | "map">;

/**
 * Decides which image of an archive goes where: under the names in `tag`, or with its own names below `to`, which is a
 * registry, perhaps with a namespace.
 *
 * @param what the archive, for messages.
 * @throws UsageError, BadReferenceError, NotFoundError
 */
export function v1Destinations(images: readonly Root[], options: NameOptions, what: string): readonly V1Destination[] {
  const chosen = listOf(options.image).map(image => chooseImage(images, image, "push", what));
  const roots = chosen.length === 0 ? images : chosen;
  const tags = listOf(options.tag);
  const [root, ...others] = roots;
  if (tags.length === 0) return roots.map(each => ({ root: each, targets: ownTargets(each, options, what) }));
  if (root === undefined || others.length > 0) {
    throw new UsageError(`Cannot push ${what} as ${tags.join(", ")}: it holds ${roots.length} images, expected one`, {
      hint: "Choose one with --image NAME, or push all of them below one registry with --to v1://HOST/NAMESPACE.",
    });
  }
  return [{ root, targets: tags.map(text => withTag(parseV1Target("push to", text))) }];
}

function ownTargets(root: Root, options: NameOptions, what: string): readonly Required<V1Target>[] {
  const below = parseV1Prefix("push", options.to ?? "");
  const names = root.names.flatMap(name => tagNameOf(name) ?? []);
  if (names.length === 0) {
    throw new UsageError(`Cannot push image ${idOf(root)} from ${what}: it has no name with a tag, expected one`, {
      hint: "Name it with --tag v1://HOST/NAMESPACE/REPOSITORY:TAG.",
    });
  }
  return names.map(text => {
    const name = parseReference(text);
    const { repository } = mapImageName(name, { registry: below.host, prefix: "", ...readMapping(options) });
    return { ...v1TargetBelow(below, repository, text), tag: name.tag ?? "latest" };
  });
}

function withTag(target: V1Target): Required<V1Target> {
  return { ...target, tag: target.tag ?? "latest" };
}

/** @throws UsageError for two images that would get one name. */
export function refuseV1Collisions(destinations: readonly V1Destination[]): void {
  const owners = new Map<string, string>();
  for (const { root, targets } of destinations) {
    for (const target of targets) {
      const [name, id] = [formatV1Target(target), idOf(root)];
      const owner = owners.get(name) ?? id;
      owners.set(name, owner);
      if (owner === id) continue;
      throw new UsageError(`Cannot push images ${owner} and ${id}: both would be ${name}, expected one name for each`, {
        hint: "Choose one with --image, or keep them apart with --map.",
      });
    }
  }
}
