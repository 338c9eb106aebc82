import { composeFiles } from "../../bundle/mirrors/compose.ts";
import { containerdFiles } from "../../bundle/mirrors/containerd.ts";
import { dockerFiles } from "../../bundle/mirrors/docker.ts";
import { k3sFiles } from "../../bundle/mirrors/k3s.ts";
import { kustomizeFiles } from "../../bundle/mirrors/kustomize.ts";
import type { NotPossible, RuntimeFiles } from "../../bundle/mirrors/mirror-file.ts";
import { fullName, type MirrorPlan, type MirrorTarget, planMirrors } from "../../bundle/mirrors/mirror-plan.ts";
import { openshiftFiles } from "../../bundle/mirrors/openshift.ts";
import { podmanFiles } from "../../bundle/mirrors/podman.ts";
import { isAddress } from "../../bundle/mirrors/without-addresses.ts";
import { PartialError, UsageError } from "../../errors.ts";
import { type ImageMapping, mapImageName } from "../../oci/names/image-mapping.ts";
import { parseReference, registryHost } from "../../oci/reference.ts";
import { registryUrl } from "../../registry/client/connect-registry.ts";
import { groupedBy } from "../../util/append.ts";
import { counted } from "../../util/format.ts";
import { checkedOptions } from "../../util/options/checked-options.ts";
import { readMapping } from "../options/mapping-options.ts";
import { checkedList } from "../options/option-values.ts";
import { parsePrefix } from "../options/prefix.ts";
import { failureText } from "../shared/attempts.ts";
import {
  MIRRORS_OPTIONS,
  type MirrorRuntime,
  type MirrorsOptions,
  type MirrorTls,
  runtimesOf,
} from "./mirrors-options.ts";
import { type NamedImages, readNames } from "./read-names.ts";
import { type MirrorFile, mergeFile, writeFiles } from "./write-files.ts";

/** A repository that a runtime cannot be led to. */
export interface UnmirroredRepository {
  readonly for: MirrorRuntime;
  /** Versions of the runtime that this is about; absent for all of them. */
  readonly versions?: string;
  /** `registry/repository` */
  readonly repository: string;
  readonly why: string;
}

/** What `mirrors` wrote, or would write. */
export interface MirrorsResult {
  readonly files: readonly MirrorFile[];
  /** What the files do not do. */
  readonly notPossible: readonly UnmirroredRepository[];
  /** What a person has to do, or to know. */
  readonly notes: readonly string[];
  readonly dryRun: boolean;
}

/**
 * Writes what runtimes need to pull images under their original names from a registry that `push` filled, or that `imgpack
 * serve` is. Where names are, the same options decide as for `push`. Asks no registry.
 *
 * @param inputs paths of archives, folders, volumes, locks, or lists that `pull` takes; "-" for stdin.
 * @throws UsageError for inputs and options that cannot be used; ArchiveError for an archive that cannot be read.
 * @throws StorageError for a file that is there and cannot be merged, before anything is written.
 * @throws PartialError if a runtime cannot be led to some of the images; the files of the others are written.
 * @example
 * ```ts
 * import { mirrors } from "imgpack";
 *
 * const { files } = await mirrors(["site.tar"], { to: "registry.lan:5000/mirror", layout: "full", for: "containerd", output: "certs.d" });
 * for (const { path, state } of files) console.log(path, state);
 * ```
 */
export async function mirrors(inputs: readonly string[], options: MirrorsOptions): Promise<MirrorsResult> {
  const paths = checkedList("write mirrors", "paths", inputs);
  options = checkedOptions(options, MIRRORS_OPTIONS);
  const { output = ".", dryRun = false, guess = false, signal, stdin, env } = options;
  const { registry, repository: prefix } = parsePrefix("write mirrors of", options.to);
  const target = targetOf(registry, options.tls);
  const mapping = { registry, prefix, ...readMapping(options) };
  const named = await readNames(paths, guess, { stdin, env, signal });
  if (named.names.length === 0) {
    throw new UsageError("Cannot write mirrors: found no name of an image in the inputs, expected one");
  }
  const plan = planMirrors(named.names, mapping, target);
  const runtimes = runtimesOf(options);
  const found = runtimes.map(runtime => [runtime, filesOf(runtime, plan, named, mapping)] as const);
  const files: MirrorFile[] = [];
  for (const [runtime, { files: planned }] of found) {
    for (const file of planned) files.push({ for: runtime, ...(await mergeFile(output, file)) });
  }
  if (!dryRun) await writeFiles(files, signal);
  const notPossible = found.flatMap(([runtime, files]) => files.notPossible.map(one => unmirrored(runtime, one)));
  const notes = found.flatMap(([, { files, notes }]) => (files.length === 0 ? [] : notes));
  const result = {
    files,
    notPossible,
    notes: [
      ...named.notes,
      ...(runtimes.some(runtime => FINDS_OTHERS.has(runtime)) ? sharedNotes(plan) : []),
      ...versionNotes(notPossible),
      ...notes,
    ],
    dryRun,
  };
  settle(result, plan);
  return result;
}

function targetOf(registry: string, tls: MirrorTls = {}): MirrorTarget {
  const { plainHttp, insecure, caFile } = tls;
  const { protocol } = registryUrl(registryHost(registry), { plainHttp, insecure, ca: caFile });
  return {
    registry: registry.toLowerCase(),
    scheme: protocol === "http:" ? "http" : "https",
    isInsecure: insecure === true,
    caFile,
  };
}

function filesOf(runtime: MirrorRuntime, plan: MirrorPlan, named: NamedImages, mapping: ImageMapping): RuntimeFiles {
  switch (runtime) {
    case "containerd":
      return containerdFiles(plan);
    case "k3s":
      return k3sFiles(plan);
    case "podman":
      return podmanFiles(plan);
    case "docker":
      return dockerFiles(plan);
    case "openshift":
      return openshiftFiles(plan);
    case "kustomize":
      return kustomizeFiles(plan);
    case "compose":
      return composeFiles(composeServices(named, mapping), plan.target);
  }
}

function composeServices({ services }: NamedImages, mapping: ImageMapping) {
  if (services.length === 0) {
    throw new UsageError("Cannot write for compose: found no compose file in the inputs, expected one with images", {
      hint: "Name the compose file in addition to the archive: an archive does not say which service has which image.",
    });
  }
  return services.map(one => ({ ...one, target: mapImageName(parseReference(one.image), mapping).repository }));
}

/** Runtimes that are led by registry; those with an entry for each repository find no other one. */
const FINDS_OTHERS: ReadonlySet<MirrorRuntime> = new Set(["containerd", "k3s", "docker"]);

function sharedNotes({ registries }: MirrorPlan): readonly string[] {
  const shared = registries.filter(({ isShared }) => isShared).map(({ registry }) => registry);
  if (shared.length === 0) return [];
  return [
    `${shared.join(", ")} have one path at the mirror: what only one of them has may be found under the names of the others; --layout full keeps them apart`,
  ];
}

function unmirrored(runtime: MirrorRuntime, { repository, why, versions }: NotPossible): UnmirroredRepository {
  return { for: runtime, ...(versions === undefined ? {} : { versions }), repository: fullName(repository), why };
}

/** What only some versions of a runtime cannot do, by its reason: the error names the others. */
function versionNotes(notPossible: readonly UnmirroredRepository[]): readonly string[] {
  const some = notPossible.filter(({ versions }) => versions !== undefined);
  const groups = groupedBy(
    some,
    ({ for: runtime, versions, why }) => `not possible for ${runtime} ${versions}: ${why}`,
  );
  return [...groups].map(([reason, [first, ...others]]) =>
    others.length === 0
      ? `${first?.repository} is ${reason}`
      : `${others.length + 1} repositories, such as ${first?.repository}, are ${reason}`,
  );
}

function settle(result: MirrorsResult, { target, registries }: MirrorPlan): void {
  const never = result.notPossible.filter(({ versions }) => versions === undefined);
  if (never.length === 0) return;
  const repositories = [...new Set(never.map(({ repository }) => repository))];
  const failures = never.map(one => new UsageError(`${one.repository} is not possible for ${one.for}: ${one.why}`));
  const all = registries.reduce((sum, one) => sum + one.repositories.length, 0);
  throw new PartialError(
    failureText(
      `Cannot write mirrors of ${repositories.length} of ${counted(all, "repository", "repositories")}`,
      failures,
    ),
    failures,
    { failed: repositories, result, ...(isAddress(target.registry) ? {} : { hint: HINT }) },
  );
}

const HINT =
  "Give push and mirrors --layout full, which keeps the registry in front, or --map docker.io= for Docker Hub without a path.";
