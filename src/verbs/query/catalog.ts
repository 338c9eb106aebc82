import { AuthError, NotFoundError, RegistryError } from "../../errors.ts";
import { listCatalog } from "../../registry/api/list-catalog.ts";
import { append } from "../../util/append.ts";
import { checkedOptions, type OptionsShape } from "../../util/options/checked-options.ts";
import { whole } from "../../util/options/option-kinds.ts";
import { COMMON } from "../options/common-options.ts";
import { checkText } from "../options/option-values.ts";
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

const NO_CATALOG =
  "Many registries have no list of repositories (Docker Hub, GHCR, ECR, Quay): ask their own API or web page, or name the repository.";
const NOT_ALLOWED =
  "Most registries show this list to administrators only; a repository by name may still be readable.";

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
  return await withRegistries(options, registry, async registries => {
    const client = await registries.clientFor(registry, options.signal);
    const repositories: string[] = [];
    try {
      for await (const page of listCatalog(client, limit, options.signal)) {
        append(repositories, page);
        if (limit !== undefined && repositories.length >= limit) break;
      }
    } catch (error) {
      throw explained(error);
    }
    return { registry: client.registry, repositories: repositories.slice(0, limit) };
  });
}

function explained(error: unknown): unknown {
  if (error instanceof AuthError) {
    return new AuthError(error.message, { cause: error, hint: [NOT_ALLOWED, error.hint].join(" ").trim() });
  }
  if (error instanceof NotFoundError) return new NotFoundError(error.message, { cause: error, hint: NO_CATALOG });
  if (!(error instanceof RegistryError) || error.transient) return error;
  const { status, codes } = error;
  const isAbsent = [404, 405, 501].includes(status) || codes.includes("UNSUPPORTED");
  return isAbsent ? new RegistryError(error.message, { status, codes, cause: error, hint: NO_CATALOG }) : error;
}
