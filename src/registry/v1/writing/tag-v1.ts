import { readNamedTag } from "../read-v1-image.ts";
import { V1Registry } from "../store/open-v1-registry.ts";
import type { V1Client } from "../v1-client.ts";
import { checkedTag } from "../v1-names.ts";
import type { V1Repository } from "../v1-store.ts";
import { pushV1 } from "./push-v1.ts";

/**
 * The id of the layer that a tag names.
 *
 * @throws NotFoundError with the tags that there are; AuthError, NetworkError; RegistryError for an answer that is no id.
 */
export async function readV1Tag(
  client: V1Client,
  repository: V1Repository,
  tag: string,
  signal?: AbortSignal,
): Promise<string> {
  const session = await new V1Registry(client).open(repository, signal);
  return await readNamedTag(session, tag, signal);
}

/**
 * Gives what a tag names more tags of the same repository.
 *
 * @returns the id of the layer.
 * @throws NotFoundError, AuthError, NetworkError, RegistryError; UsageError for no tag of the v1 protocol.
 */
export async function tagV1(
  client: V1Client,
  repository: V1Repository,
  tag: string,
  tags: readonly string[],
  onNote: (message: string) => void,
  signal?: AbortSignal,
): Promise<string> {
  for (const text of tags) checkedTag(text);
  const id = await readV1Tag(client, repository, tag, signal);
  await pushV1(client, repository, [{ tags, id, chain: [] }], { onNote, signal });
  return id;
}
