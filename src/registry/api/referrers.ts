import { AuthError, NotFoundError, RegistryError } from "../../errors.ts";
import type { Descriptor } from "../../oci/descriptor.ts";
import { descriptorSchema } from "../../oci/descriptor-schema.ts";
import { type Digest, digestAlgorithm, digestHex } from "../../oci/digest.ts";
import { parseManifest } from "../../oci/manifest.ts";
import { isManifestType, OCI_INDEX } from "../../oci/media-types.ts";
import { array, checkSchema, fields, nullish } from "../../util/json/schema.ts";
import { headerText } from "../http/headers.ts";
import { getManifest, type ManifestPlace } from "./manifests.ts";
import { readPages } from "./pages.ts";

export interface ReferrersList {
  /** How the registry was asked: by the referrers API, or by the tag that stands in for it. */
  readonly via: "api" | "tag";
  readonly referrers: readonly Descriptor[];
}

/** Statuses by which a registry without the API answers; the rest may pass, or is about rights. */
const NO_API: ReadonlySet<number> = new Set([200, 400, 405, 406, 410, 429, 501]);

const indexSchema = fields({ manifests: nullish(array(descriptorSchema)) });

/**
 * Manifests whose subject is `digest` ("Listing Referrers"): signatures, attestations, SBOMs. RegistryPool without the API
 * keep them in an index under a tag made from the digest ("Referrers Tag Schema").
 *
 * @param artifactType keeps only those of this type.
 */
export async function listReferrers(
  place: ManifestPlace,
  digest: Digest,
  artifactType?: string,
): Promise<ReferrersList> {
  const told = await askApi(place, digest, artifactType);
  const found = told ?? (await readTag(place, digest));
  const referrers = found.filter(
    referrer =>
      // What cannot be fetched as a manifest, or names itself, refers to nothing (security case M-20).
      isManifestType(referrer.mediaType) &&
      referrer.digest !== digest &&
      (artifactType === undefined || referrer.artifactType === artifactType),
  );
  return { via: told === undefined ? "tag" : "api", referrers };
}

/** `sha256:abc…` → `sha256-abc…`; algorithm and digits are cut to 32 and 64 characters. */
export function referrersTag(digest: Digest): string {
  return `${digestAlgorithm(digest)}-${digestHex(digest).slice(0, 64)}`;
}

/** Undefined when the registry has no such API: it says so in a dozen ways, web pages among them. */
async function askApi(
  place: ManifestPlace,
  digest: Digest,
  artifactType: string | undefined,
): Promise<readonly Descriptor[] | undefined> {
  const { client, repository, signal } = place;
  const what = `referrers of ${digest}`;
  const where = `${client.registry}/${repository}`;
  const query = artifactType === undefined ? "" : `?artifactType=${encodeURIComponent(artifactType)}`;
  const pages = readPages<Descriptor>({
    client,
    what,
    repository,
    path: `/v2/${repository}/referrers/${digest}${query}`,
    accept: OCI_INDEX,
    pageSize: 0,
    // GHCR limits this path to nearly nothing; the tag beside it answers.
    lasting: [429],
    read: (page, headers) => {
      const type = headerText(headers, "content-type")?.split(";", 1)[0]?.trim().toLowerCase();
      if (type !== OCI_INDEX) throw new RegistryError(`Cannot read ${what} from ${where}: no index`, { status: 200 });
      return checkSchema(indexSchema, page, what, where).manifests ?? [];
    },
    keyOf: referrer => referrer.digest,
    signal,
  });
  const found: Descriptor[] = [];
  try {
    for await (const page of pages) found.push(...page);
    return found;
  } catch (error) {
    signal?.throwIfAborted();
    // A list that broke off after its first page is an error; an API that was never there is none.
    if (found.length > 0 || !isAbsence(error)) throw error;
    return undefined;
  }
}

function isAbsence(error: unknown): boolean {
  if (error instanceof RegistryError) return NO_API.has(error.status) || (error.status >= 300 && error.status < 400);
  return error instanceof NotFoundError || error instanceof AuthError;
}

async function readTag(place: ManifestPlace, digest: Digest): Promise<readonly Descriptor[]> {
  const tag = referrersTag(digest);
  try {
    const { manifest } = await getManifest(place, tag);
    const where = `${place.client.registry}/${place.repository}:${tag}`;
    const view = parseManifest(manifest.bytes, { where, announced: manifest.mediaType });
    if (view.kind === "index") return view.manifests;
    throw new RegistryError(`Cannot read referrers from ${where}: found an image, expected an index`, {
      status: 200,
      hint: "Something else was pushed under the tag that stands in for the referrers API.",
    });
  } catch (error) {
    if (error instanceof NotFoundError) return [];
    throw error;
  }
}
