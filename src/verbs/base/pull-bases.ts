import type { Base, Bundle } from "../../bundle/base/bundle.ts";
import type { Lock } from "../../bundle/lock/lock.ts";
import type { AssumedLayer } from "../../content/contracts.ts";
import { noteTo, type OnProgress } from "../../content/progress.ts";
import { UsageError } from "../../errors.ts";
import { readingAnswer } from "../../registry/client/registry-answer.ts";
import { counted, formatBytes, quote } from "../../util/format.ts";
import { checkApart } from "../../util/output-checks.ts";
import { type MappingOptions, readMapping } from "../options/mapping-options.ts";
import type { Prefix } from "../options/prefix.ts";
import type { RegistryPool } from "../shared/registry-pool.ts";
import type { LeaveToBases } from "../shared/write-images.ts";
import { layerBundle, layersOf, leaveAssumed, leaveToBases } from "./assumed-layers.ts";
import { namedBases, registriesOf } from "./named-bases.ts";
import { openBundles } from "./open-bundle.ts";
import { registryBlobs } from "./registry-base.ts";

export interface PullBasesOptions extends MappingOptions {
  readonly onProgress?: OnProgress | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The bases of a pull. */
export interface PullBases {
  /** Hosts of those that are registries. */
  readonly registries: readonly string[];
  /** Leaves out what the bases have. @param pool has admitted the registries. */
  leaveToBases(pool: RegistryPool): LeaveToBases;
}

/**
 * Reads the bases of a pull. Registries are asked when its layers are known.
 *
 * @param texts paths of archives, folders and locks, or `host[:port][/prefix]`.
 * @param output path of the archive, if it has one.
 * @throws UsageError for a base of uncompressed layers, and for one that the output would replace; as `openBundle`.
 */
export async function openPullBases(
  texts: readonly string[],
  output: string | undefined,
  options: PullBasesOptions,
): Promise<PullBases> {
  const named = await namedBases("leave out what is in", texts, options);
  const mapping = readMapping(options);
  const paths = named.filter(base => typeof base === "string");
  if (paths.includes("-")) throw onStdin();
  if (output !== undefined) await checkApart(output, paths);
  const bundles = (await openBundles(paths, options)).map(checkLayers);
  return {
    registries: registriesOf(named),
    leaveToBases: pool => async (plan, signal) => {
      const layers = layersOf(plan);
      const asked = layerBundle(plan, layers);
      const bases: Base[] = [...bundles];
      for (const base of named) {
        if (typeof base === "string") continue;
        const at = { registry: base.registry, prefix: base.repository, ...mapping };
        bases.push(await readingAnswer(async () => await registryBlobs(asked, whereOf(base), at, pool, signal)));
      }
      const left = leaveToBases(plan, layers, bases);
      noteTo(options.onProgress)(noteOf(left.plan.assumed ?? []));
      return left;
    },
  };
}

/** Leaves out what the lock of a delta assumes: the same delta again. */
export function leaveAsLocked({ assumes = [], bases = [] }: Lock): LeaveToBases {
  return async plan => ({ plan: leaveAssumed(plan, assumes), bases });
}

function noteOf(assumed: readonly AssumedLayer[]): string {
  const bytes = assumed.reduce((sum, { descriptor: { size } }) => sum + size, 0);
  if (assumed.length === 0) return "No layer is left out: the bases have none of these images";
  return `Leaving out ${counted(assumed.length, "layer")} (${formatBytes(bytes)}) that the bases have`;
}

function whereOf({ registry, repository }: Prefix): string {
  return [registry, repository].filter(Boolean).join("/");
}

/** Digests of uncompressed layers are not those of the registry, so that nothing would be left out. */
function checkLayers(base: Bundle): Bundle {
  if (!base.hasRawLayers) return base;
  throw new UsageError(
    `Cannot leave out what is in ${quote(base.where)}: its layers are uncompressed, expected them as the registry has them`,
    { hint: "Lock the images in the registry instead, and name the lock: imgpack lock REFERENCE… -o base.lock." },
  );
}

function onStdin(): UsageError {
  return new UsageError('Cannot leave out what is in "-": found stdin, expected a file, a folder or a registry', {
    hint: "Save the archive to a file first.",
  });
}
