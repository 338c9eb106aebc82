import { NotFoundError } from "../../errors.ts";
import { tagsThere } from "../../oci/nearest-tags.ts";
import type { Reference } from "../../oci/reference.ts";
import { deadlineSignal } from "../../util/time/deadline.ts";
import type { RegistryClient } from "../client/registry-client.ts";
import type { Repository } from "../client/repository.ts";
import { isWebPageRefusal } from "../http/response-error.ts";
import { firstTags } from "./list-tags.ts";
import { v1Hint } from "./v1-hint.ts";

/** What of a repository was asked for. */
export interface WantedImage extends Pick<Reference, "tag" | "digest"> {
  /** True if the tag is "latest" because none was given. */
  readonly isTagAssumed?: boolean | undefined;
}

/** The answer is known; the list only explains it. */
const LIST_MS = 5000;
/** Of one client. In a list of hundreds of images that are missing, the first ones explain enough. */
const MAX_LISTS = 8;

/** What is known of the tags of a registry, by repository. */
const TAGS = new WeakMap<RegistryClient, { left: number; readonly known: Map<string, readonly string[]> }>();

/**
 * Runs `task`, which reads a manifest. If the registry does not have it, the error's hint names the tags that there are,
 * which takes one more request; or that the registry speaks v1 only. These requests fail in silence.
 *
 * @throws NotFoundError as `task`.
 */
export async function explainMissing<T>(
  repository: Repository,
  wanted: WantedImage,
  task: () => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  try {
    return await task();
  } catch (error) {
    if (!(error instanceof NotFoundError)) throw error;
    if (error.hint !== undefined && !isWebPageRefusal(error)) throw error;
    const hint = isWebPageRefusal(error)
      ? await v1Hint(repository.client, error, adviceFor(repository, wanted), signal)
      : await missingHint(repository, wanted, error, signal);
    signal?.throwIfAborted();
    throw hint === undefined ? error : new NotFoundError(error.message, { hint, cause: error });
  }
}

async function missingHint(
  repository: Repository,
  wanted: WantedImage,
  missing: NotFoundError,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  const { tag, digest, isTagAssumed } = wanted;
  const sentence = (there?: string): string | undefined => {
    const assumed = isTagAssumed === true ? 'No tag was given, so "latest" was assumed' : undefined;
    const parts = [assumed, there].filter(part => part !== undefined);
    return parts.length === 0 ? undefined : `${parts.join("; ")}.`;
  };
  using limit = deadlineSignal(LIST_MS, signal);
  try {
    const tags = await tagsOf(repository, limit.signal);
    if (tags === undefined) return sentence();
    return digest === undefined ? sentence(tagsThere(`${repository}`, tag ?? "latest", tags)) : undefined;
  } catch (error) {
    if (!(error instanceof NotFoundError)) return sentence();
    const old = await v1Hint(repository.client, missing, adviceFor(repository, wanted), signal);
    // Without a reason in the answer, the registry may be one that lists no tags at all.
    return (
      old ?? error.hint ?? (digest === undefined ? sentence(`${repository} lists no tags: check the name`) : undefined)
    );
  }
}

/** @returns undefined if enough lists were asked for. */
async function tagsOf(repository: Repository, signal: AbortSignal): Promise<readonly string[] | undefined> {
  const { client, name } = repository;
  const lists = TAGS.get(client) ?? { left: MAX_LISTS, known: new Map<string, readonly string[]>() };
  TAGS.set(client, lists);
  const known = lists.known.get(name);
  if (known !== undefined || lists.left === 0) return known;
  lists.left -= 1;
  const tags = await firstTags(repository, signal);
  lists.known.set(name, tags);
  return tags;
}

function adviceFor(repository: Repository, { tag, digest }: WantedImage): string {
  return `write v1://${repository}${tag === undefined || digest !== undefined ? "" : `:${tag}`}`;
}
