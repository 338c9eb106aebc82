import { AuthError, ImgpackError, NotFoundError, RegistryError, UsageError } from "../errors.ts";
import type { Digest } from "../oci/digest.ts";
import { isV1Reference } from "../oci/legacy/has-v1.ts";
import { parseReference } from "../oci/reference.ts";
import { deleteManifest, isDeletionUnsupported, isTagDeletionUnsupported } from "../registry/api/delete-manifest.ts";
import { listTags } from "../registry/api/list-tags.ts";
import { resolveDigest } from "../registry/api/resolve-digest.ts";
import type { Repository } from "../registry/client/repository.ts";
import { append } from "../util/append.ts";
import { checkedOptions, type OptionsShape } from "../util/options/checked-options.ts";
import { decision, FLAG, required } from "../util/options/option-kinds.ts";
import { runBounded } from "../util/task-group.ts";
import { COMMON } from "./options/common-options.ts";
import { checkText } from "./options/option-values.ts";
import {
  type RemoteOptions,
  repositoryName,
  resolveNamedDigest,
  withRegistries,
  writableReference,
} from "./shared/remote-image.ts";

/** What is deleted. */
export interface Deletion {
  /** `registry/repository:tag`, `registry/repository@digest`, or `v1://HOST/namespace/repository[:tag]`. */
  readonly reference: string;
  /** "manifest": the image with all its tags. "repository": of a v1 registry, with all its tags. */
  readonly removes: "tag" | "manifest" | "repository";
  /** Of the manifest or index. Absent in a v1 registry. */
  readonly digest?: Digest;
  /** Of the top layer of a tag in a v1 registry. */
  readonly id?: string;
  /** All tags of the manifest that is deleted; absent if finding them would take too many requests. */
  readonly tags?: readonly string[];
}

/** Options of `deleteImage`. */
export interface DeleteOptions extends RemoteOptions {
  /** Is called before anything is deleted, and again if the registry can only delete more than was named. */
  readonly confirm: (deletion: Deletion) => Promise<boolean>;
  /**
   * Where the registry deletes by digest only, deletes the other tags of the image together with the one that was named.
   * Default false: other tags are an error, and nothing is deleted.
   */
  readonly allTags?: boolean | undefined;
}

const DELETE_OPTIONS: OptionsShape<DeleteOptions> = {
  ...COMMON,
  confirm: required(decision<Deletion>()),
  allTags: FLAG,
};

/** Every tag costs a request. */
const MAX_TAGS = 100;
const CONCURRENCY = 8;
const SWITCHED_OFF =
  "Deletion is not supported or switched off there. distribution (registry:2, registry:3) allows it with REGISTRY_STORAGE_DELETE_ENABLED=true; Docker Hub, GHCR and others only through their own API or web page.";

/**
 * Deletes a tag, or, by digest, a manifest with all its tags. Registries that delete only by digest (distribution 2) delete
 * the manifest in both cases: `confirm` is called with that first, and other tags of the manifest need `allTags`.
 *
 * @param reference `registry/repository:tag`, `registry/repository@digest`, or `v1://HOST/namespace/repository[:tag]`.
 * @returns undefined unless `confirm` returned true.
 * @throws UsageError for a reference without a registry, or without a tag and digest.
 * @throws NotFoundError, AuthError, NetworkError; RegistryError if the registry does not allow deletion.
 * @example
 * ```ts
 * import { deleteImage } from "imgpack";
 *
 * await deleteImage("registry.lan:5000/team/app:1.3", {
 *   confirm: async ({ removes, tags }) => removes === "tag" || tags?.length === 1,
 * });
 * ```
 */
export async function deleteImage(reference: string, options: DeleteOptions): Promise<Deletion | undefined> {
  checkText("delete", "the name of an image", reference);
  options = checkedOptions(options, DELETE_OPTIONS);
  const { confirm, signal } = options;
  if (isV1Reference(reference)) return await (await import("./v1/writing/change-v1.ts")).deleteInV1(reference, options);
  const parsed = parseReference(reference);
  if (parsed.tag === undefined && parsed.digest === undefined) {
    throw new UsageError(`Cannot delete ${reference}: neither tag nor digest named, expected one`, {
      hint: `See what there is with "imgpack tags ${reference}".`,
    });
  }
  if (parsed.tag !== undefined && parsed.digest !== undefined) {
    throw new UsageError(`Cannot delete ${reference}: found a tag and a digest, expected one of them`, {
      hint: "The tag removes one name of the image, the digest removes the image with all its names.",
    });
  }
  const named = writableReference("delete", reference, options.registry);
  return await withRegistries(options, named.registry, async registries => {
    const repository = await registries.repositoryFor(named, signal, "pull,push");
    const name = repositoryName(named);
    const { tag } = named;
    const { digest } = await resolveNamedDigest(repository, named, signal, "delete");
    if (named.digest === undefined && tag !== undefined) {
      const deletion: Deletion = { reference: `${name}:${tag}`, removes: "tag", digest };
      if (!(await confirm(deletion))) return undefined;
      const refusal = await removeTag(repository, tag, signal);
      if (refusal === undefined) return deletion;
      const tags = await tagsOf(repository, digest, signal, tag);
      if (options.allTags !== true) checkAlone(`${name}:${tag}`, tag, tags, refusal);
      return await removeManifest(repository, digest, tags, options);
    }
    return await removeManifest(repository, digest, await tagsOf(repository, digest, signal), options);
  });
}

async function removeManifest(
  repository: Repository,
  digest: Digest,
  tags: readonly string[] | undefined,
  { confirm, signal }: DeleteOptions,
): Promise<Deletion | undefined> {
  const reference = `${repository}@${digest}`;
  const deletion: Deletion = { reference, removes: "manifest", digest, ...(tags && { tags }) };
  if (!(await confirm(deletion))) return undefined;
  await explaining(async () => await deleteManifest(repository, digest, signal));
  return deletion;
}

/** @throws RegistryError if the image has, or may have, other tags than this one. */
function checkAlone(name: string, tag: string, tags: readonly string[] | undefined, refusal: RegistryError): void {
  const others = tags?.filter(other => other !== tag);
  if (others?.length === 0) return;
  const found = others === undefined ? "other tags that cannot be looked up" : `the other tags ${others.join(", ")}`;
  const { status, codes } = refusal;
  throw new RegistryError(
    `Cannot delete ${name}: the registry deletes by digest only, which removes ${found}, expected one tag`,
    { status, codes, cause: refusal, hint: "Nothing was deleted. Delete all of them with --all-tags." },
  );
}

/** @returns the refusal of a registry that deletes by digest only. */
async function removeTag(
  repository: Repository,
  tag: string,
  signal: AbortSignal | undefined,
): Promise<RegistryError | undefined> {
  return await explaining(async () => {
    try {
      await deleteManifest(repository, tag, signal);
      return undefined;
    } catch (error) {
      if (isTagDeletionUnsupported(error)) return error;
      throw error;
    }
  });
}

async function explaining<T>(task: () => Promise<T>): Promise<T> {
  try {
    return await task();
  } catch (error) {
    if (isDeletionUnsupported(error)) {
      const { message, status, codes } = error;
      throw new RegistryError(message, { status, codes, cause: error, hint: SWITCHED_OFF });
    }
    if (!(error instanceof AuthError)) throw error;
    const hint = ["Deleting needs rights of its own on most registries.", error.hint ?? ""].join(" ").trim();
    throw new AuthError(error.message, { cause: error, hint });
  }
}

/**
 * @param known a tag of the digest: a list without it does not have all tags.
 * @returns undefined if there are too many to ask for, or if the registry does not list them all.
 */
async function tagsOf(
  repository: Repository,
  digest: Digest,
  signal: AbortSignal | undefined,
  known?: string,
): Promise<readonly string[] | undefined> {
  const all: string[] = [];
  const found: string[] = [];
  try {
    for await (const page of listTags(repository, MAX_TAGS + 1, signal)) {
      append(all, page);
      if (all.length > MAX_TAGS) return undefined;
    }
    if (known !== undefined && !all.includes(known)) return undefined;
    await runBounded(
      all,
      CONCURRENCY,
      async (tag, stop) => {
        try {
          if ((await resolveDigest(repository, tag, stop)).digest === digest) found.push(tag);
        } catch (error) {
          // distribution 2 lists tags whose manifest was deleted.
          if (!(error instanceof NotFoundError)) throw error;
        }
      },
      signal,
    );
    return found.sort();
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof ImgpackError) return undefined;
    throw error;
  }
}
