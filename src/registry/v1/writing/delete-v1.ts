import { AuthError, NetworkError } from "../../../errors.ts";
import type { V1Call } from "../v1-call.ts";
import type { V1Client } from "../v1-client.ts";
import { checkedTag } from "../v1-names.ts";
import type { V1Repository } from "../v1-store.ts";

/**
 * Deletes a tag at the registry. An index gives tokens for deletion with the deletion of the whole repository alone, so that
 * a registry that insists on one refuses this.
 *
 * @throws NotFoundError, AuthError, NetworkError, RegistryError
 */
export async function deleteV1Tag(
  client: V1Client,
  repository: V1Repository,
  tag: string,
  signal?: AbortSignal,
): Promise<void> {
  const target = client.repository(repository);
  const { namespace, name } = repository;
  const path = `repositories/${namespace}/${name}`;
  await target.callIndex({
    verb: "read",
    what: "repository",
    method: "GET",
    path: `${path}/images`,
    accept: [200],
    signal,
  });
  await target.call({
    ...deletion(`tag ${checkedTag(tag)}`, `${path}/tags/${tag}`, signal),
    accept: [200, 204],
    explain: ({ status, where }) => (status === 401 ? noTagDeletion(where, tag) : undefined),
  });
}

function noTagDeletion(where: string, tag: string): AuthError {
  return new AuthError(
    `Cannot delete tag ${tag} from ${where}: status 401 for the token of its index, expected it to be allowed`,
    {
      hint: "Indexes allow the deletion of whole repositories only: delete the repository, or name the registry that holds it as HOST.",
    },
  );
}

/**
 * Deletes a repository with all its tags: at an index, which answers 202, then at its registry, then at the index again. A
 * registry that is its own index deletes it at once.
 *
 * @throws NotFoundError, AuthError, NetworkError, RegistryError
 */
export async function deleteV1Repository(
  client: V1Client,
  repository: V1Repository,
  signal?: AbortSignal,
): Promise<void> {
  const target = client.repository(repository);
  const { namespace, name } = repository;
  const call = deletion("repository", `repositories/${namespace}/${name}/`, signal);
  const { status } = await target.callIndex({ ...call, accept: [200, 202, 204] });
  if (status !== 202) return;
  // An interrupted deletion may have come this far.
  await target.call({ ...call, accept: [200, 202, 204, 404] });
  const headers = { "x-docker-endpoints": target.endpoints.join(", ") };
  await target.callIndex({ ...call, headers, wantsToken: false, accept: [200, 202, 204, 404] });
}

function deletion(what: string, path: string, signal: AbortSignal | undefined): Omit<V1Call, "accept"> {
  const isFinal = (error: unknown): boolean => !(error instanceof NetworkError);
  return { verb: "delete", what, method: "DELETE", path, isFinal, signal };
}
