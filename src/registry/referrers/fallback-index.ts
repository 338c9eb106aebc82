import { NotFoundError, RegistryError } from "../../errors.ts";
import { buildImageIndex } from "../../oci/build-manifest.ts";
import type { Descriptor } from "../../oci/descriptor.ts";
import { type Digest, digestOf } from "../../oci/digest.ts";
import { MAX_MANIFEST_BYTES } from "../../oci/limits.ts";
import { parseManifest, type RawManifest } from "../../oci/manifest.ts";
import { MANIFEST_ACCEPT } from "../../oci/media-types.ts";
import { referrersTag } from "../../oci/referrers/referrers-tag.ts";
import { formatBytes } from "../../util/format.ts";
import { putManifest } from "../api/put-manifest.ts";
import { readingAnswer } from "../client/registry-answer.ts";
import type { Repository, RepositoryCall } from "../client/repository.ts";
import { headerText } from "../http/headers.ts";

/** The index that replaces the referrers API, as the registry has it. */
export interface FallbackIndex {
  readonly manifest: RawManifest;
  readonly digests: ReadonlySet<Digest>;
  /** To write it back only if no one else has changed it. */
  readonly etag: string | undefined;
}

/** Others may write the same index at the same moment. */
const MAX_TRIES = 3;

const TOO_LARGE_HINT = "Delete referrers that are not needed any more.";

/**
 * The index under the tag that is made from a digest ("Referrers Tag Schema"); undefined if there is none.
 *
 * @throws RegistryError if something else is under the tag.
 */
export async function readFallbackIndex(
  repository: Repository,
  subject: Digest,
  signal: AbortSignal | undefined,
): Promise<FallbackIndex | undefined> {
  const tag = referrersTag(subject);
  const what = `manifest ${tag}`;
  const call: RepositoryCall = {
    verb: "read",
    what,
    method: "GET",
    url: `manifests/${tag}`,
    headers: { accept: MANIFEST_ACCEPT.join(", ") },
    accept: [200],
    signal,
  };
  try {
    return await repository.retrying(what, signal, async () => {
      const response = await repository.open(call);
      const bytes = await repository.readBody(response, call, MAX_MANIFEST_BYTES, TOO_LARGE_HINT);
      const announced = headerText(response.headers, "content-type");
      const where = `${repository}:${tag}`;
      const view = await readingAnswer(() =>
        parseManifest(bytes, { where, ...(announced === undefined ? {} : { announced }) }),
      );
      if (view.kind !== "index") throw noIndex(where, view.kind);
      return {
        manifest: { mediaType: view.mediaType, bytes },
        digests: new Set(view.manifests.map(({ digest }) => digest)),
        etag: headerText(response.headers, "etag"),
      };
    });
  } catch (error) {
    if (error instanceof NotFoundError) return undefined;
    throw error;
  }
}

/**
 * Adds entries to the index that replaces the referrers API: it is read, written back with what is missing, and read again.
 * Entries that it has stay as they are.
 *
 * @throws RegistryError if something else is under the tag, or if the entries are not there in the end.
 */
export async function addToFallbackIndex(
  repository: Repository,
  subject: Digest,
  entries: readonly Descriptor[],
  signal: AbortSignal | undefined,
): Promise<void> {
  const tag = referrersTag(subject);
  for (let tries = 0; ; tries += 1) {
    const stored = await readFallbackIndex(repository, subject, signal);
    const missing = entries.filter(({ digest }) => stored?.digests.has(digest) !== true);
    if (missing.length === 0) return;
    if (tries === MAX_TRIES) {
      throw new RegistryError(
        `Cannot push index ${tag} to ${repository}: it lacks ${missing.map(({ digest }) => digest).join(", ")} after ${MAX_TRIES} writes, expected all entries`,
        { status: 200, hint: "Another client writes the same index: run the same command again." },
      );
    }
    const manifest = withEntries(stored?.manifest, missing, `${repository}:${tag}`);
    try {
      await putManifest(repository, tag, manifest, digestOf(manifest.bytes), { ifMatch: stored?.etag, signal });
    } catch (error) {
      if (!(error instanceof RegistryError && error.status === 412)) throw error;
    }
  }
}

/** Only the list grows: what else is in the index, and in its entries, stays as it is. */
function withEntries(stored: RawManifest | undefined, entries: readonly Descriptor[], where: string): RawManifest {
  const added = buildImageIndex(entries);
  if (stored === undefined) return added;
  const index = read(stored);
  const manifests = [...(index.manifests ?? []), ...(read(added).manifests ?? [])];
  const bytes = new TextEncoder().encode(JSON.stringify({ ...index, manifests }));
  if (bytes.length <= MAX_MANIFEST_BYTES) return { mediaType: stored.mediaType, bytes };
  throw new RegistryError(
    `Cannot push index ${where}: ${formatBytes(bytes.length)} with the new entries, expected at most ${formatBytes(MAX_MANIFEST_BYTES)}`,
    { status: 200, hint: TOO_LARGE_HINT },
  );
}

function read({ bytes }: RawManifest): { readonly manifests?: readonly unknown[] | null } {
  return JSON.parse(Buffer.from(bytes).toString("utf8")) as { manifests?: unknown[] | null };
}

function noIndex(where: string, kind: string): RegistryError {
  const found = kind === "image" ? "an image" : "another document";
  return new RegistryError(`Cannot read referrers from ${where}: found ${found}, expected an index`, {
    status: 200,
    hint: "Something else was pushed under the tag that replaces the referrers API: delete it, and run the same command again.",
  });
}
