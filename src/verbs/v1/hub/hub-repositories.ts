import type { RemoteOptions } from "../../shared/remote-image.ts";
import { withRepository } from "./hub-connection.ts";

export interface HubRepositoryResult {
  /** `v1://HOST/NAMESPACE/NAME` */
  readonly repository: string;
  /** `host[:port]` of the registries that have its layers, as the index names them. */
  readonly endpoints: readonly string[];
}

export interface DeleteRepositoryOptions extends RemoteOptions {
  /** Is called with the repository before anything is deleted. */
  readonly confirm: (repository: string) => Promise<boolean>;
}

/** Creates a repository at an index; one that is there already is not changed. @throws AuthError, RegistryError, NetworkError */
export async function createRepository(text: string, options: RemoteOptions): Promise<HubRepositoryResult> {
  return await withRepository(text, options, async (repository, name) => {
    await repository.create();
    return { repository: name, endpoints: repository.session.endpoints };
  });
}

/**
 * Deletes a repository with its images and tags: at the index, which gives a token, then at each endpoint, then again at
 * the index. A run that is interrupted can be repeated.
 *
 * @returns undefined unless `confirm` returned true.
 * @throws NotFoundError, AuthError, RegistryError, NetworkError
 */
export async function deleteRepository(
  text: string,
  options: DeleteRepositoryOptions,
): Promise<HubRepositoryResult | undefined> {
  return await withRepository(text, options, async (repository, name) => {
    if (!(await options.confirm(name))) return undefined;
    return { repository: name, endpoints: await repository.delete() };
  });
}
