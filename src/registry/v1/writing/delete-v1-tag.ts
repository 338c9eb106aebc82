import { AuthError, NetworkError } from "../../../errors.ts";
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
  await target.announce(signal);
  await target.call({
    verb: "delete",
    what: `tag ${checkedTag(tag)}`,
    method: "DELETE",
    path: `repositories/${namespace}/${name}/tags/${tag}`,
    isFinal: error => !(error instanceof NetworkError),
    signal,
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
