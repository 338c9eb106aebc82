import { AuthError, NotFoundError, RegistryError } from "../../errors.ts";
import type { Digest } from "../../oci/digest.ts";
import { type ManifestView, parseManifest } from "../../oci/manifest.ts";
import { MANIFEST_ACCEPT, OCI_INDEX } from "../../oci/media-types.ts";
import { parseChallenges } from "../auth/challenge.ts";
import type { RegistryClient } from "../client/registry-client.ts";
import { type HeaderMap, headerList, headerText } from "../http/headers.ts";
import { listCatalog } from "./list-catalog.ts";
import { getManifest } from "./manifests.ts";

/** What a registry says at its door, asked without credentials. Texts are foreign. */
export interface RegistryGreeting {
  readonly url: string;
  readonly status: number;
  /** `Docker-Distribution-Api-Version`, where it is sent. */
  readonly apiVersion?: string;
  /** `Server`, where it is sent. */
  readonly server?: string;
  /** "none" lets everybody in. */
  readonly auth: "none" | "basic" | "bearer" | "unknown";
  readonly realm?: string;
  readonly service?: string;
}

/** @throws NotFoundError when nothing under this host speaks the protocol. */
export async function greetRegistry(client: RegistryClient, signal?: AbortSignal): Promise<RegistryGreeting> {
  const what = "API version";
  const response = await client.call({ ...base(what, "/v2/"), method: "GET", accept: [200, 401, 403], signal });
  await response.body.dump();
  const { status, headers } = response;
  const challenges = parseChallenges(headerList(headers, "www-authenticate"));
  const apiVersion = headerText(headers, "docker-distribution-api-version");
  if (status === 200 && apiVersion === undefined && isHtml(headers)) {
    throw new NotFoundError(`Cannot read ${what} from ${client.registry}: found a web page, expected a registry`, {
      hint: "Something answers under this name, but it is no registry: check host and port.",
    });
  }
  const challenge = challenges.find(({ scheme }) => scheme === "bearer") ?? challenges[0];
  const server = headerText(headers, "server");
  return {
    url: client.base.href,
    status,
    ...(apiVersion === undefined ? {} : { apiVersion }),
    ...(server === undefined ? {} : { server }),
    auth: challenge?.scheme ?? (status === 200 ? "none" : "unknown"),
    ...(challenge === undefined || challenge.realm === "" ? {} : { realm: challenge.realm }),
    ...(challenge?.scheme === "bearer" && challenge.service !== undefined ? { service: challenge.service } : {}),
  };
}

/** @throws AuthError when the credentials are not taken. */
export async function checkAccess(client: RegistryClient, signal?: AbortSignal): Promise<void> {
  await client.callDumped({ ...base("API version", "/v2/"), method: "GET", accept: [200], signal });
}

/** "denied": it asks for other rights. "unknown": there was nothing to try it on. */
export type Support = "yes" | "no" | "denied" | "unknown";

/** @returns also a repository to try other things on. */
export async function probeCatalog(
  client: RegistryClient,
  signal?: AbortSignal,
): Promise<{ readonly support: Support; readonly repository?: string | undefined }> {
  let repository: string | undefined;
  const support = await supportOf(async () => {
    for await (const [first] of listCatalog(client, 1, signal)) {
      repository = first;
      break;
    }
    return true;
  });
  return { support, ...(repository === undefined ? {} : { repository }) };
}

export interface RepositoryProbe {
  /** HEAD of a manifest gives its digest. */
  readonly head: Support;
  /** Parts of blobs. */
  readonly ranges: Support;
  /** The referrers API. */
  readonly referrers: Support;
}

/** What can be asked of a repository without writing into it. @param reference a tag or digest that is there */
export async function probeRepository(
  client: RegistryClient,
  repository: string,
  reference: string,
  signal?: AbortSignal,
): Promise<RepositoryProbe> {
  const at = { repository, actions: "pull", verb: "read", signal } as const;
  const { digest, blob } = await firstBlob(client, repository, reference, signal);
  const head = await supportOf(async () => {
    const response = await client.callDumped({
      ...at,
      what: `manifest ${reference}`,
      method: "HEAD",
      url: `/v2/${repository}/manifests/${reference}`,
      headers: { accept: MANIFEST_ACCEPT.join(", ") },
      accept: [200],
    });
    return headerText(response.headers, "docker-content-digest") === digest;
  });
  const ranges =
    blob === undefined
      ? "unknown"
      : await supportOf(async () => {
          const response = await client.callDumped({
            ...at,
            what: `blob ${blob}`,
            method: "GET",
            url: `/v2/${repository}/blobs/${blob}`,
            headers: { range: "bytes=0-0", "accept-encoding": "identity" },
            accept: [200, 206],
          });
          return response.status === 206;
        });
  const referrers = await supportOf(async () => {
    const response = await client.callDumped({
      ...at,
      what: `referrers of ${digest}`,
      method: "GET",
      url: `/v2/${repository}/referrers/${digest}`,
      headers: { accept: OCI_INDEX },
      accept: [200, 429],
    });
    return response.status === 200 && headerText(response.headers, "content-type")?.split(";", 1)[0] === OCI_INDEX;
  });
  return { head, ranges, referrers };
}

async function firstBlob(
  client: RegistryClient,
  repository: string,
  reference: string,
  signal: AbortSignal | undefined,
): Promise<{ readonly digest: Digest; readonly blob: Digest | undefined }> {
  const read = async (wanted: string): Promise<{ readonly digest: Digest; readonly view: ManifestView }> => {
    const { descriptor, manifest } = await getManifest({ client, repository, signal }, wanted);
    const where = `${client.registry}/${repository}`;
    return { digest: descriptor.digest, view: parseManifest(manifest.bytes, { where, announced: manifest.mediaType }) };
  };
  const { digest, view } = await read(reference);
  if (view.kind === "image") return { digest, blob: view.config.digest };
  const [child] = view.manifests;
  const inner = child === undefined ? undefined : (await read(child.digest)).view;
  return { digest, blob: inner?.kind === "image" ? inner.config.digest : undefined };
}

async function supportOf(ask: () => Promise<boolean>): Promise<Support> {
  try {
    return (await ask()) ? "yes" : "no";
  } catch (error) {
    if (error instanceof AuthError) return "denied";
    if (error instanceof NotFoundError) return "no";
    if (error instanceof RegistryError && !error.transient) return "no";
    throw error;
  }
}

function base(what: string, url: string) {
  return { verb: "read", what, repository: "", actions: "pull", url } as const;
}

function isHtml(headers: HeaderMap): boolean {
  return (headerText(headers, "content-type") ?? "").toLowerCase().includes("html");
}
