import { AuthError, NotFoundError, RegistryError } from "../../errors.ts";
import type { Descriptor } from "../../oci/descriptor.ts";
import { descriptorSchema } from "../../oci/descriptor-schema.ts";
import { type Digest, digestAlgorithm, digestHex } from "../../oci/digest.ts";
import { parseManifest } from "../../oci/manifest.ts";
import { isManifestType, OCI_INDEX } from "../../oci/media-types.ts";
import { append } from "../../util/append.ts";
import { quote } from "../../util/format.ts";
import { array, checkSchema, fields, nullish } from "../../util/json/schema.ts";
import type { Repository } from "../client/repository.ts";
import { headerText } from "../http/headers.ts";
import { getManifest } from "./get-manifest.ts";
import { readPages } from "./pages.ts";

export interface ReferrersList {
  /** Where the list comes from: the referrers API, or the tag that replaces it. */
  readonly via: "api" | "tag";
  readonly referrers: readonly Descriptor[];
}

/** Statuses by which a registry without the API answers. Others are transient, or about rights. */
const NO_API: ReadonlySet<number> = new Set([200, 400, 405, 406, 410, 429, 501]);

const indexSchema = fields({ manifests: nullish(array(descriptorSchema)) });

/**
 * Manifests whose subject is `digest` ("Listing Referrers"): signatures, attestations, SBOMs. Registries without the API
 * keep them in an index under a tag made from the digest ("Referrers Tag Schema").
 *
 * @param artifactType keeps only those of this type.
 */
export async function listReferrers(
  repository: Repository,
  digest: Digest,
  artifactType?: string,
  signal?: AbortSignal,
): Promise<ReferrersList> {
  const listed = await readApi(repository, digest, artifactType, signal);
  const found = listed ?? (await readTag(repository, digest, signal));
  const referrers = found.filter(
    referrer =>
      // An entry that is no manifest, or the subject itself, refers to nothing (security case M-20).
      isManifestType(referrer.mediaType) &&
      referrer.digest !== digest &&
      (artifactType === undefined || referrer.artifactType === artifactType),
  );
  return { via: listed === undefined ? "tag" : "api", referrers };
}

/** `sha256:abc…` → `sha256-abc…`; algorithm and digits are cut to 32 and 64 characters. */
export function referrersTag(digest: Digest): string {
  return `${digestAlgorithm(digest)}-${digestHex(digest).slice(0, 64)}`;
}

/** Undefined when the registry has no such API. Registries say so in a dozen ways, web pages among them. */
async function readApi(
  repository: Repository,
  digest: Digest,
  artifactType: string | undefined,
  signal: AbortSignal | undefined,
): Promise<readonly Descriptor[] | undefined> {
  const what = `referrers of ${digest}`;
  let isIndex = false;
  const query = artifactType === undefined ? "" : `?artifactType=${encodeURIComponent(artifactType)}`;
  const pages = readPages<Descriptor>(repository, {
    what,
    path: `referrers/${digest}${query}`,
    accept: OCI_INDEX,
    pageSize: 0,
    // GHCR limits this path to nearly nothing, but serves the tag.
    lasting: [429],
    read: (page, headers) => {
      const type = headerText(headers, "content-type")?.split(";", 1)[0]?.trim().toLowerCase();
      isIndex = type === OCI_INDEX;
      if (isIndex) return checkSchema(indexSchema, page, what, `${repository}`).manifests ?? [];
      throw new RegistryError(
        `Cannot read ${what} from ${repository}: found media type ${quote(type ?? "none")}, expected ${OCI_INDEX}`,
        { status: 200 },
      );
    },
    keyOf: referrer => referrer.digest,
    signal,
  });
  const found: Descriptor[] = [];
  try {
    for await (const page of pages) append(found, page);
    return found;
  } catch (error) {
    signal?.throwIfAborted();
    // A list that breaks off after its first page, or is damaged, is an error; a missing API is not.
    if (isIndex || found.length > 0 || !isAbsence(error)) throw error;
    return undefined;
  }
}

function isAbsence(error: unknown): boolean {
  if (error instanceof RegistryError) return NO_API.has(error.status) || (error.status >= 300 && error.status < 400);
  return error instanceof NotFoundError || error instanceof AuthError;
}

async function readTag(
  repository: Repository,
  digest: Digest,
  signal: AbortSignal | undefined,
): Promise<readonly Descriptor[]> {
  const tag = referrersTag(digest);
  try {
    const { manifest } = await getManifest(repository, tag, { verb: "read", signal });
    const where = `${repository}:${tag}`;
    const view = parseManifest(manifest.bytes, { where, announced: manifest.mediaType });
    if (view.kind === "index") return view.manifests;
    throw new RegistryError(`Cannot read referrers from ${where}: found an image, expected an index`, {
      status: 200,
      hint: "Something else was pushed under the tag that replaces the referrers API.",
    });
  } catch (error) {
    if (error instanceof NotFoundError) return [];
    throw error;
  }
}
