import { countTo } from "../../content/progress.ts";
import { isV1Reference } from "../../oci/legacy/has-v1.ts";
import { checkedOptions, type OptionsShape } from "../../util/options/checked-options.ts";
import { whole } from "../../util/options/option-kinds.ts";
import { COMMON } from "../options/common-options.ts";
import { checkText } from "../options/option-values.ts";
import { listRepositories } from "../requested/list-repositories.ts";
import { type RemoteOptions, withRegistries } from "../shared/remote-image.ts";

/** Options of `catalog`. */
export interface CatalogOptions extends RemoteOptions {
  /** Maximum number of repositories. Default: all. */
  readonly limit?: number | undefined;
}

const CATALOG_OPTIONS: OptionsShape<CatalogOptions> = { ...COMMON, limit: whole(1) };

/** The repositories of a registry. */
export interface CatalogResult {
  /** `host[:port]` */
  readonly registry: string;
  /** In the order of the registry. Foreign text. */
  readonly repositories: readonly string[];
}

/**
 * Lists the repositories of a registry. Many registries have no such list, or show it to administrators only.
 *
 * @param registry `host[:port]`
 * @throws NotFoundError, RegistryError if there is no such list; AuthError if it needs other rights; NetworkError.
 * @example
 * ```ts
 * import { catalog } from "imgpack";
 *
 * const { repositories } = await catalog("registry.lan:5000", { limit: 100 });
 * console.log(repositories);
 * ```
 */
export async function catalog(registry: string, options: CatalogOptions = {}): Promise<CatalogResult> {
  checkText("list repositories", "a registry", registry);
  options = checkedOptions(options, CATALOG_OPTIONS);
  const limit = options.limit;
  if (isV1Reference(registry)) {
    const { catalogOfV1 } = await import("../v1/query/v1-queries.ts");
    return await catalogOfV1(registry, limit, options);
  }
  return await withRegistries(options, registry, async registries => {
    const client = await registries.clientFor(registry, options.signal);
    const repositories = await listRepositories(client, limit, options.signal, countTo(options.onProgress, "names"));
    return { registry: client.registry, repositories };
  });
}
