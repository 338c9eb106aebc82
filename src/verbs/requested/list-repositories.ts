import { AuthError, NotFoundError, RegistryError } from "../../errors.ts";
import { listCatalog } from "../../registry/api/list-catalog.ts";
import { v1Hint } from "../../registry/api/v1-hint.ts";
import type { RegistryClient } from "../../registry/client/registry-client.ts";
import { append } from "../../util/append.ts";

const NO_CATALOG =
  "Many registries have no list of repositories (Docker Hub, GHCR, ECR, Quay): ask their own API or web page, or name the repository.";
const NOT_ALLOWED =
  "Most registries show this list to administrators only; a repository by name may still be readable.";

/**
 * The repositories of a registry, in its order. Foreign text.
 *
 * @param limit where the list ends; default all.
 * @param onRepositories is called with the number of repositories of each page.
 * @throws NotFoundError, RegistryError if there is no such list; AuthError if it needs other rights; NetworkError.
 */
export async function listRepositories(
  client: RegistryClient,
  limit: number | undefined,
  signal: AbortSignal | undefined,
  onRepositories: (count: number) => void = () => undefined,
): Promise<readonly string[]> {
  const repositories: string[] = [];
  try {
    for await (const page of listCatalog(client, limit, signal)) {
      append(repositories, page);
      onRepositories(page.length);
      if (limit !== undefined && repositories.length >= limit) break;
    }
  } catch (error) {
    const old =
      error instanceof NotFoundError ? await v1Hint(client, error, `write v1://${client.registry}`, signal) : undefined;
    signal?.throwIfAborted();
    throw explained(error, old);
  }
  return repositories.slice(0, limit);
}

/** @param old the hint of a v1 registry. */
function explained(error: unknown, old: string | undefined): unknown {
  if (error instanceof AuthError) {
    return new AuthError(error.message, { cause: error, hint: [NOT_ALLOWED, error.hint].join(" ").trim() });
  }
  if (error instanceof NotFoundError)
    return new NotFoundError(error.message, { cause: error, hint: old ?? NO_CATALOG });
  if (!(error instanceof RegistryError) || error.transient) return error;
  const { status, codes } = error;
  const isAbsent = [404, 405, 501].includes(status) || codes.includes("UNSUPPORTED");
  return isAbsent ? new RegistryError(error.message, { status, codes, cause: error, hint: NO_CATALOG }) : error;
}
