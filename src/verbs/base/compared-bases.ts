import type { Base, Bundle } from "../../bundle/base/bundle.ts";
import type { OnProgress } from "../../content/progress.ts";
import { UsageError } from "../../errors.ts";
import { readingAnswer } from "../../registry/client/registry-answer.ts";
import { quote } from "../../util/format.ts";
import { type MappingOptions, readMapping } from "../options/mapping-options.ts";
import type { RegistryOptions } from "../options/registry-options.ts";
import { RegistryPool } from "../shared/registry-pool.ts";
import { namedBases, registriesOf } from "./named-bases.ts";
import { type OpenBundleOptions, openBundles } from "./open-bundle.ts";
import { registryBase } from "./registry-base.ts";

export interface ComparedBasesOptions extends OpenBundleOptions, MappingOptions {
  readonly registry?: string | RegistryOptions | undefined;
  readonly onProgress?: OnProgress | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Reads the bases of a comparison: archives and locks as they are, registries as far as the bundle names what they may have. */
export type ReadBases = (bundle: Bundle) => Promise<readonly Base[]>;

/**
 * Checks bases by their names, before anything is read.
 *
 * @param sources what is compared with them.
 * @param texts paths of archives, folders and locks, or `host[:port][/prefix]`.
 * @returns reads them; they are in the order of `texts`.
 * @throws UsageError for none, for what is no base, for stdin that is named twice, and for a mapping without a registry.
 */
export async function comparedBases(
  sources: readonly string[],
  texts: readonly string[],
  options: ComparedBasesOptions,
): Promise<ReadBases> {
  checkBases(sources, texts);
  const named = await namedBases("compare with", texts, options);
  const registries = registriesOf(named);
  const mapping = readMapping(options);
  const { onProgress = () => undefined, signal } = options;
  return async bundle => {
    await using pool = new RegistryPool(options, registries, onProgress);
    pool.admit(registries);
    const paths = named.filter(base => typeof base === "string");
    const bases: Base[] = [...(await openBundles(paths, options))];
    for (const [index, base] of named.entries()) {
      if (typeof base === "string") continue;
      const at = { registry: base.registry, prefix: base.repository, ...mapping };
      const where = texts[index] ?? base.registry;
      bases.push(await readingAnswer(async () => await registryBase(bundle, where, at, pool, signal)));
    }
    return bases.sort((left, right) => texts.indexOf(left.where) - texts.indexOf(right.where));
  };
}

function checkBases(sources: readonly string[], bases: readonly string[]): void {
  if (bases.length === 0) {
    throw new UsageError(`Cannot compare ${sources.map(quote).join(" and ")}: no base named, expected at least one`, {
      hint: "A base is an archive, a folder, a lock, or a registry: HOST[:PORT][/PREFIX].",
    });
  }
  if ([...sources, ...bases].filter(path => path === "-").length > 1) {
    throw new UsageError("Cannot compare with stdin: it is named twice, expected once");
  }
}
