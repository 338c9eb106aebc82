import { AuthError, ImgpackError, NetworkError, NotFoundError, RegistryError } from "../../errors.ts";
import type { Descriptor } from "../../oci/descriptor.ts";
import { descriptorSchema } from "../../oci/descriptor-schema.ts";
import type { Digest } from "../../oci/digest.ts";
import { parseManifest } from "../../oci/manifest.ts";
import { isManifestType, OCI_INDEX } from "../../oci/media-types.ts";
import type { ReferrersLookup } from "../../oci/referrers/referrers-lookup.ts";
import { referrersTag } from "../../oci/referrers/referrers-tag.ts";
import { append } from "../../util/append.ts";
import { quote } from "../../util/format.ts";
import { array, checkSchema, fields, nullish } from "../../util/json/schema.ts";
import { LimitedPath } from "../client/limited-path.ts";
import { isWebPageAnswer } from "../client/registry-answer.ts";
import type { RegistryClient } from "../client/registry-client.ts";
import type { Repository } from "../client/repository.ts";
import { headerText } from "../http/headers.ts";
import { getManifest } from "./get-manifest.ts";
import { type PageRequest, readPages } from "./pages.ts";
import { resolveDigest } from "./resolve-digest.ts";

export interface ReferrersList {
  /** Where the list comes from: the referrers API, or the tag that replaces it. */
  readonly via: "api" | "tag";
  readonly referrers: readonly Descriptor[];
}

/** What the referrers API answers; nothing unless `lookup` is "complete". */
export interface ReferrersAnswer {
  readonly lookup: ReferrersLookup;
  readonly referrers: readonly Descriptor[];
  /** The answer that refuses, if `lookup` is "refused". */
  readonly refusal?: unknown;
}

/** Statuses by which a registry without the API answers. Others are transient, or about rights. */
const NO_API: ReadonlySet<number> = new Set([200, 400, 405, 406, 410, 501]);

const REFUSING: ReadonlySet<number> = new Set([401, 403]);

/** What each registry of the run says of its referrers API. */
const paths = new WeakMap<RegistryClient, LimitedPath>();

const indexSchema = fields({ manifests: nullish(array(descriptorSchema)) });

/**
 * Manifests whose subject is `digest` ("Listing Referrers"): signatures, attestations, SBOMs. Registries without the API
 * keep them in an index under a tag made from the digest ("Referrers Tag Schema").
 *
 * @param artifactType keeps only those of this type.
 * @throws the answer that refuses the API, if there is no tag either: what there is, is unknown then.
 */
export async function listReferrers(
  repository: Repository,
  digest: Digest,
  artifactType?: string,
  signal?: AbortSignal,
): Promise<ReferrersList> {
  const { lookup, referrers, refusal } = await askReferrers(repository, digest, artifactType, signal);
  if (lookup === "complete") return { via: "api", referrers };
  const tagged = await readTag(repository, digest, signal);
  if (lookup === "refused" && tagged === undefined) throw refusal;
  const isWanted = (referrer: Descriptor): boolean =>
    artifactType === undefined || referrer.artifactType === artifactType;
  return { via: "tag", referrers: referringTo(digest, tagged ?? []).filter(isWanted) };
}

/**
 * Asks the referrers API alone. Registries say in a dozen ways that they do not have it, web pages among them. GHCR limits
 * this path to nearly nothing, but serves the tag: what is refused for good (429) while another request is taken is "refused".
 *
 * @throws RegistryError for a list that breaks off, or is damaged; NetworkError
 */
export async function askReferrers(
  repository: Repository,
  digest: Digest,
  artifactType?: string,
  signal?: AbortSignal,
): Promise<ReferrersAnswer> {
  const what = `referrers of ${digest}`;
  let isIndex = false;
  const query = artifactType === undefined ? "" : `?artifactType=${encodeURIComponent(artifactType)}`;
  const request: PageRequest<Descriptor> = {
    what,
    path: `referrers/${digest}${query}`,
    accept: OCI_INDEX,
    pageSize: 0,
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
  };
  const ask = async (attempts: number | undefined): Promise<readonly Descriptor[]> => {
    isIndex = false;
    const found: Descriptor[] = [];
    const pages = readPages(repository, { ...request, retrying: { attempts, hasOwnLimit: true } });
    for await (const page of pages) append(found, page);
    return found;
  };
  try {
    const askOther = async (): Promise<void> => await askForManifest(repository, digest, signal);
    const found = await pathOf(repository).ask({ ask, askOther, signal });
    if (found instanceof RegistryError) return { lookup: "refused", referrers: [], refusal: found };
    const isWanted = (referrer: Descriptor): boolean =>
      artifactType === undefined || referrer.artifactType === artifactType;
    return { lookup: "complete", referrers: referringTo(digest, found).filter(isWanted) };
  } catch (error) {
    signal?.throwIfAborted();
    const lookup = isIndex ? undefined : lookupWithout(error);
    // A list that breaks off after its first page, or is damaged, is an error; a missing API is not.
    if (lookup === undefined) throw error;
    return { lookup, referrers: [], ...(lookup === "refused" ? { refusal: error } : {}) };
  }
}

/** What an error says about a list that a registry may lack: undefined for a fault that says nothing about it. */
export function lookupWithout(error: unknown): Exclude<ReferrersLookup, "complete"> | undefined {
  if (error instanceof AuthError || isWebPageAnswer(error)) return "refused";
  if (error instanceof NotFoundError) return "unsupported";
  if (!(error instanceof RegistryError)) return undefined;
  if (REFUSING.has(error.status)) return "refused";
  const isLacking = NO_API.has(error.status) || (error.status >= 300 && error.status < 400);
  return isLacking ? "unsupported" : undefined;
}

/** Without entries that are no manifest, or the subject itself, which refer to nothing (security case M-20). */
export function referringTo(subject: Digest, found: readonly Descriptor[]): readonly Descriptor[] {
  return found.filter(({ mediaType, digest }) => isManifestType(mediaType) && digest !== subject);
}

function pathOf({ client }: Repository): LimitedPath {
  const path = paths.get(client) ?? new LimitedPath();
  paths.set(client, path);
  return path;
}

/** Any answer but a refusal for now says that the registry takes requests. */
async function askForManifest(repository: Repository, digest: Digest, signal: AbortSignal | undefined): Promise<void> {
  try {
    await resolveDigest(repository, digest, signal);
  } catch (error) {
    signal?.throwIfAborted();
    if (!(error instanceof ImgpackError) || error instanceof NetworkError || error.transient) throw error;
  }
}

async function readTag(
  repository: Repository,
  digest: Digest,
  signal: AbortSignal | undefined,
): Promise<readonly Descriptor[] | undefined> {
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
    if (error instanceof NotFoundError) return undefined;
    throw error;
  }
}
