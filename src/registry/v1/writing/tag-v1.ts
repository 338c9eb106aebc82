import { RegistryError } from "../../../errors.ts";
import { quote } from "../../../util/format.ts";
import type { V1Client } from "../v1-client.ts";
import { checkedTag, isLayerId } from "../v1-names.ts";
import type { V1Repository } from "../v1-store.ts";
import { pushV1 } from "./push-v1.ts";

/**
 * The id of the layer that a tag names.
 *
 * @throws NotFoundError, AuthError, NetworkError; RegistryError for an answer that is no id.
 */
export async function readV1Tag(
  client: V1Client,
  repository: V1Repository,
  tag: string,
  signal?: AbortSignal,
): Promise<string> {
  const source = client.repository(repository);
  const path = `repositories/${repository.namespace}/${repository.name}`;
  const get = { verb: "read", method: "GET", accept: [200], signal } as const;
  await source.callIndex({ ...get, what: "repository", path: `${path}/images` });
  const { bytes } = await source.call({ ...get, what: `tag ${tag}`, path: `${path}/tags/${checkedTag(tag)}` });
  const text = Buffer.from(bytes).toString("utf8").trim();
  const id = /^"(.*)"$/.exec(text)?.[1] ?? text;
  if (isLayerId(id)) return id;
  throw new RegistryError(`Cannot read tag ${tag} from ${source}: found ${quote(id)}, expected the id of a layer`, {
    status: 200,
    hint: "The registry, or a proxy in front of it, is misconfigured or hostile.",
  });
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
