import type { CopyPlan } from "../content/contracts.ts";

/**
 * A note about manifests whose index states another size than they have; none if there are none. Measured: containerd
 * refuses to pull them (containerd/containerd#2401), but imports them; docker's classic store, podman and skopeo do not
 * compare sizes.
 */
export function wrongSizes({ manifests }: Pick<CopyPlan, "manifests">): readonly string[] {
  const wrong = [...manifests.values()].flatMap(({ descriptor: { digest, size }, statedSize }) =>
    statedSize === undefined ? [] : [`${digest} (${size} bytes, stated ${statedSize})`],
  );
  const [first] = wrong;
  if (first === undefined) return [];
  const which = wrong.length === 1 ? first : `${wrong.length} manifests, such as ${first}`;
  return [
    `An index states a wrong size for ${which}. The digest is right, so the bytes are right; containerd compares sizes ` +
      "and cannot pull such an index from a registry, docker, podman and skopeo can",
  ];
}
