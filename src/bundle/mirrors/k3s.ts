import { isMap, isSeq, type YAMLMap } from "yaml";
import type { NotPossible, PlannedFile, RuntimeFiles } from "./mirror-file.ts";
import { type MirroredRegistry, type MirrorPlan, type MirrorTarget, outsidePrefix } from "./mirror-plan.ts";
import { withoutAddresses } from "./without-addresses.ts";
import { isMarked, YamlFile } from "./yaml-file.ts";

/**
 * `registries.yaml` of k3s and RKE2. Their containerd rewrites repositories by regular expressions, so that each one can be
 * led anywhere; which of several expressions is tried first is not defined, so that no two of ours may fit one repository.
 */
export function k3sFiles(plan: MirrorPlan): RuntimeFiles {
  const { target } = plan;
  // They make hosts.toml of it, with the address as the name of a table, which containerd 1 does not read.
  const { possible: registries, notPossible: addresses } = withoutAddresses(plan, "k3s with containerd 1");
  const others = registries.filter(({ registry }) => registry !== target.registry);
  const own = registries.filter(({ registry }) => registry === target.registry);
  const why = "its registry is the mirror itself, of which k3s ignores rewrites";
  const notPossible: NotPossible[] = own.flatMap(({ repositories }) =>
    repositories.map(repository => ({ repository, why })),
  );
  return {
    files: others.length === 0 ? [] : [registriesFile(target, others)],
    notPossible: [...addresses, ...notPossible],
    notes: [
      "k3s reads /etc/rancher/k3s/registries.yaml when it starts, RKE2 /etc/rancher/rke2/registries.yaml",
      "Start k3s and RKE2 with --disable-default-registry-endpoint: otherwise they ask the original registry for what the mirror lacks",
    ],
  };
}

function registriesFile(target: MirrorTarget, registries: readonly MirroredRegistry[]): PlannedFile {
  const endpoint = `${target.scheme}://${target.registry}`;
  return {
    path: ["registries.yaml"],
    content(existing, path) {
      const file = new YamlFile(existing, path);
      const mirrors = file.map("mirrors");
      for (const registry of registries) {
        const known = mirrors.get(registry.registry, true);
        if (known !== undefined && !isOurs(known)) throw file.refusal(`a mirror of ${registry.registry}`);
        const rewrite = rewritesOf(registry);
        const mirror = { endpoint: [file.marked(endpoint)], ...(Object.keys(rewrite).length === 0 ? {} : { rewrite }) };
        mirrors.set(registry.registry, file.node(mirror));
      }
      setTls(file, target);
      return file.text;
    },
  };
}

function isOurs(mirror: unknown): boolean {
  const endpoints = isMap(mirror) ? mirror.get("endpoint", true) : undefined;
  return isSeq(endpoints) && endpoints.items.length === 1 && isMarked(endpoints.items[0]);
}

/** Go's regular expressions. */
function rewritesOf(registry: MirroredRegistry): Readonly<Record<string, string>> {
  const { prefix, repositories } = registry;
  if (outsidePrefix(registry).length === 0) return prefix === "" ? {} : { "^(.*)$": `${prefix}/$1` };
  return Object.fromEntries(
    repositories.flatMap(({ repository, target }) =>
      repository === target ? [] : [[`^${repository.replaceAll(".", "\\.")}$`, target]],
    ),
  );
}

/** Credentials and other settings of the mirror stay. */
function setTls(file: YamlFile, { registry, scheme, isInsecure, caFile }: MirrorTarget): void {
  if (scheme === "http" || (caFile === undefined && !isInsecure)) return;
  const tls: YAMLMap = file.map("configs", registry, "tls");
  const wanted = {
    ...(caFile === undefined ? {} : { ca_file: caFile }),
    ...(isInsecure ? { insecure_skip_verify: true } : {}),
  };
  for (const [key, value] of Object.entries(wanted)) {
    const known = tls.get(key);
    if (known !== undefined && known !== value) throw file.refusal(`another ${key} for ${registry}`);
    if (known === undefined) tls.set(key, value);
  }
}
