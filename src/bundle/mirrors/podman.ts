import { ownFile, type RuntimeFiles } from "./mirror-file.ts";
import { fullName, type MirrorPlan, outsidePrefix } from "./mirror-plan.ts";
import { withoutAddresses } from "./without-addresses.ts";

/** Later files win over earlier ones. */
const FILE = "900-imgpack.conf";

/**
 * Tables of containers-registries.conf(5), for podman, CRI-O, buildah and skopeo. A `location` replaces the registry; a
 * `mirror` would only come before it. A registry has one table if all of its repositories are below one path that no other
 * registry shares, and else one for each repository.
 */
export function podmanFiles(plan: MirrorPlan): RuntimeFiles {
  const { target } = plan;
  const { possible, notPossible } = withoutAddresses(plan, "podman");
  const isInsecure = target.scheme === "http" || target.isInsecure;
  const tables = possible.flatMap(registry => {
    const isWhole = registry.registry !== target.registry && !registry.isShared && outsidePrefix(registry).length === 0;
    return isWhole
      ? [[registry.registry, registry.prefix ?? ""] as const]
      : registry.repositories.map(one => [fullName(one), one.target] as const);
  });
  const lines = tables.flatMap(([prefix, path]) => [
    "",
    "[[registry]]",
    `prefix = ${JSON.stringify(prefix)}`,
    `location = ${JSON.stringify(path === "" ? target.registry : `${target.registry}/${path}`)}`,
    ...(isInsecure ? ["insecure = true"] : []),
  ]);
  return {
    files: tables.length === 0 ? [] : [ownFile([FILE], lines)],
    notPossible,
    notes: [
      "podman, buildah and skopeo read /etc/containers/registries.conf.d; CRI-O does when it starts or gets SIGHUP",
      ...(target.caFile === undefined || isInsecure
        ? []
        : [`They take the CA from /etc/containers/certs.d/${target.registry}/ca.crt: copy ${target.caFile} there`]),
    ],
  };
}
