import { hostsFiles } from "./hosts-toml.ts";
import { cannotWrite, type NotPossible, type PlannedFile, type RuntimeFiles } from "./mirror-file.ts";
import { type MirrorPlan, type MirrorTarget, outsidePrefix } from "./mirror-plan.ts";

const OLD = "before 29, unless it uses the containerd image store (28)";

/**
 * Docker 29 reads `hosts.toml` (docker/docs#24213; 28 does with the containerd image store). Before, only Docker Hub has
 * mirrors, and they have no path (moby#18818).
 */
export function dockerFiles(plan: MirrorPlan): RuntimeFiles {
  const { target, registries } = plan;
  const { files, notPossible } = hostsFiles(plan, ["certs.d"]);
  const isNever = new Set(notPossible.map(({ repository }) => repository));
  const old: NotPossible[] = [];
  const refuse = (repository: NotPossible["repository"], why: string): void => {
    if (!isNever.has(repository)) old.push({ repository, why, versions: OLD });
  };
  let hasHub = false;
  for (const registry of registries) {
    const isHub = registry.registry === "docker.io";
    const outside = new Set(outsidePrefix(registry));
    for (const repository of registry.repositories) {
      if (!isHub) refuse(repository, "only Docker Hub has mirrors");
      else if (registry.prefix !== "") refuse(repository, "a mirror of Docker Hub has no path");
      else hasHub ||= !outside.has(repository);
    }
  }
  return {
    files: [...files, ...(hasHub ? [daemonFile(target)] : [])],
    notPossible: [...notPossible, ...old],
    notes: [
      "Docker 29 reads /etc/docker/certs.d without a restart, and so does 28 with the containerd image store",
      ...(hasHub
        ? [
            "Docker before that reads /etc/docker/daemon.json when it starts, and asks Docker Hub for what the mirror lacks",
          ]
        : []),
      ...(target.caFile === undefined || !hasHub
        ? []
        : [`Docker before 29 takes the CA from /etc/docker/certs.d/${target.registry}/ca.crt`]),
    ],
  };
}

/** All other settings stay. */
function daemonFile({ scheme, registry, isInsecure }: MirrorTarget): PlannedFile {
  return {
    path: ["daemon.json"],
    content(existing, path) {
      const settings = settingsIn(existing, path);
      const url = `${scheme}://${registry}`;
      const mirrors = textsIn(settings, "registry-mirrors", path);
      const insecure = textsIn(settings, "insecure-registries", path);
      const isKnown = mirrors.some(mirror => mirror.replace(/\/$/, "") === url);
      const isListed = !isInsecure || scheme === "http" || insecure.includes(registry);
      if (existing !== undefined && isKnown && isListed) return existing;
      const changed = {
        ...settings,
        "registry-mirrors": isKnown ? mirrors : [url, ...mirrors],
        ...(isListed ? {} : { "insecure-registries": [...insecure, registry] }),
      };
      const indent = /^\{\r?\n([ \t]+)"/.exec(existing ?? "")?.[1] ?? "  ";
      return `${JSON.stringify(changed, undefined, indent)}\n`;
    },
  };
}

function settingsIn(existing: string | undefined, path: string): Readonly<Record<string, unknown>> {
  if (existing === undefined || existing.trim() === "") return {};
  try {
    const settings: unknown = JSON.parse(existing);
    if (typeof settings === "object" && settings !== null && !Array.isArray(settings)) return { ...settings };
  } catch {
    // refused below
  }
  throw cannotWrite(
    path,
    "no JSON object in it, expected the settings of Docker",
    "Docker does not start with it either.",
  );
}

function textsIn(settings: Readonly<Record<string, unknown>>, key: string, path: string): readonly string[] {
  const value = settings[key] ?? [];
  if (Array.isArray(value) && value.every(text => typeof text === "string")) return value;
  throw cannotWrite(
    path,
    `something else in ${key}, expected an array of strings`,
    "Docker does not start with it either.",
  );
}
