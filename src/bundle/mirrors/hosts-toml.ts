import { append } from "../../util/append.ts";
import { type NotPossible, ownFile, type PlannedFile, type RuntimeFiles } from "./mirror-file.ts";
import {
  below,
  type MirroredRegistry,
  type MirroredRepository,
  type MirrorPlan,
  type MirrorTarget,
  outsidePrefix,
} from "./mirror-plan.ts";
import { isAddress } from "./without-addresses.ts";

/** Files and what they cannot do. */
export type HostsFiles = Pick<RuntimeFiles, "files" | "notPossible">;

/**
 * `hosts.toml` for each registry (containerd, docs/hosts.md). A registry has one file, which can only put a path before its
 * repositories.
 *
 * @param folder below the output folder that has the folders of the registries.
 */
export function hostsFiles({ target, registries }: MirrorPlan, folder: readonly string[]): HostsFiles {
  const files: PlannedFile[] = [];
  const notPossible: NotPossible[] = [];
  const all = new Map(registries.flatMap(({ repositories }) => repositories.map(one => [one.target, one] as const)));
  for (const registry of registries) {
    const found = checked(registry, target, all);
    append(notPossible, found.notPossible);
    if (found.prefix === undefined) continue;
    const name = hostFolder(registry.registry);
    if (name !== undefined) files.push(ownFile([...folder, name, "hosts.toml"], hostsLines(target, found.prefix)));
  }
  return { files, notPossible };
}

/**
 * The folder of a registry: `registry.lan:5000` is `registry.lan_5000_`, which all versions look for first, and which every
 * file system takes (containerd, "Port Handling in Registry Host"). Undefined for an IPv6 address: its name has colons.
 */
export function hostFolder(registry: string): string | undefined {
  const name = registry.replace(/:(\d+)$/, "_$1_");
  return /^[a-z0-9][a-z0-9.-]*(?:_\d+_)?$/.test(name) ? name : undefined;
}

function checked(
  registry: MirroredRegistry,
  target: MirrorTarget,
  all: ReadonlyMap<string, MirroredRepository>,
): { readonly prefix?: string; readonly notPossible: readonly NotPossible[] } {
  const { repositories, prefix } = registry;
  const none = (why: string) => ({ notPossible: repositories.map(repository => ({ repository, why })) });
  if (registry.registry === target.registry) {
    return none("its registry is the mirror itself, where other images would get another path, too");
  }
  if (hostFolder(registry.registry) === undefined) {
    return none("the folder of an IPv6 address has colons in its name, which not every file system takes");
  }
  const outside = outsidePrefix(registry);
  const asked = (one: MirroredRepository): string => below(prefix ?? "", one.repository);
  // A wrong image under a right name is worse than none.
  const wrong = outside.find(one => all.has(asked(one)));
  if (prefix === undefined || wrong !== undefined) {
    return none("a path before the repository is all that hosts.toml can give, and it would not lead to its images");
  }
  const why = (one: MirroredRepository): string =>
    `it is at ${one.target}, and hosts.toml leads to ${asked(one)}: it can only put a path before the repository`;
  return { prefix, notPossible: outside.map(repository => ({ repository, why: why(repository) })) };
}

/**
 * The mirror is the server as well: without one, the registry itself is asked for what the mirror lacks. The table is there
 * because containerd before 1.7.15 refuses a file without one (containerd#10027), and because Docker adds the settings of
 * daemon.json to a single endpoint.
 */
function hostsLines(target: MirrorTarget, prefix: string): readonly string[] {
  const { scheme, registry, isInsecure, caFile } = target;
  const url = JSON.stringify(`${scheme}://${registry}${prefix === "" ? "" : `/v2/${prefix}`}`);
  const settings = [
    'capabilities = ["pull", "resolve"]',
    ...(prefix === "" ? [] : ["override_path = true"]),
    // With http, these would make containerd try TLS first.
    ...(scheme === "https" && caFile !== undefined ? [`ca = ${JSON.stringify(caFile)}`] : []),
    ...(scheme === "https" && isInsecure ? ["skip_verify = true"] : []),
  ];
  const table = isAddress(registry)
    ? // containerd 1 takes no brackets in the name of a table, also in quotes, and then asks the registry itself.
      ["[host]", `  ${url} = { ${settings.join(", ")} }`]
    : [`[host.${url}]`, ...settings.map(line => `  ${line}`)];
  return [`server = ${url}`, ...settings, "", ...table];
}
