import { noteTo } from "../../../content/progress.ts";
import { UsageError } from "../../../errors.ts";
import { isTag } from "../../../oci/reference.ts";
import { HubRepository } from "../../../registry/v1/hub/hub-repository.ts";
import { deleteV1Tag } from "../../../registry/v1/writing/delete-v1-tag.ts";
import { readV1Tag, tagV1 } from "../../../registry/v1/writing/tag-v1.ts";
import { quote } from "../../../util/format.ts";
import type { RemoteOptions } from "../../shared/remote-image.ts";
import { withV1Client } from "../with-v1-client.ts";
import { formatV1Target, parseV1Target } from "./v1-target.ts";

/** `tag` in a v1 registry. @throws as `tag`; UsageError for a name that is no tag. */
export async function tagInV1(
  reference: string,
  names: readonly string[],
  options: RemoteOptions,
): Promise<{ readonly id: string; readonly references: readonly string[] }> {
  const target = parseV1Target("tag", reference);
  const other = names.find(name => !isTag(name));
  if (other !== undefined) {
    throw new UsageError(
      `Cannot tag as ${quote(other)}: found more than a tag, expected a tag of the same repository`,
      {
        hint: 'Between repositories, "imgpack copy" does it.',
      },
    );
  }
  const { host, repository, tag = "latest" } = target;
  return await withV1Client(host, options, async client => {
    const id = await tagV1(client, repository, tag, names, noteTo(options.onProgress), options.signal);
    return { id, references: names.map(name => formatV1Target({ ...target, tag: name })) };
  });
}

/** What is deleted in a v1 registry. */
export interface V1Deletion {
  /** `v1://HOST/namespace/repository`, with `:tag` if that is all that is deleted. */
  readonly reference: string;
  readonly removes: "tag" | "repository";
  /** Of the top layer of a tag. Layers stay in the registry. */
  readonly id?: string;
}

/**
 * `deleteImage` in a v1 registry: of a tag, or without one of the repository.
 *
 * @returns undefined unless `confirm` returned true.
 */
export async function deleteInV1(
  reference: string,
  { confirm, ...options }: RemoteOptions & { readonly confirm: (deletion: V1Deletion) => Promise<boolean> },
): Promise<V1Deletion | undefined> {
  const target = parseV1Target("delete", reference);
  const { host, repository, tag } = target;
  const { signal } = options;
  return await withV1Client(host, options, async client => {
    const named = formatV1Target(target);
    if (tag === undefined) {
      const deletion: V1Deletion = { reference: named, removes: "repository" };
      if (!(await confirm(deletion))) return undefined;
      await new HubRepository(client, repository, false, signal).delete();
      return deletion;
    }
    const id = await readV1Tag(client, repository, tag, signal);
    const deletion: V1Deletion = { reference: named, removes: "tag", id };
    if (!(await confirm(deletion))) return undefined;
    await deleteV1Tag(client, repository, tag, signal);
    return deletion;
  });
}
