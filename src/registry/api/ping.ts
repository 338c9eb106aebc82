import { AuthError, NetworkError, NotFoundError, RegistryError } from "../../errors.ts";
import type { Digest } from "../../oci/digest.ts";
import { type ManifestView, parseManifest } from "../../oci/manifest.ts";
import { MANIFEST_ACCEPT, OCI_INDEX } from "../../oci/media-types.ts";
import { parseChallenges } from "../auth/challenge.ts";
import { NO_REGISTRY_HINT } from "../client/registry-answer.ts";
import type { RegistryClient } from "../client/registry-client.ts";
import { Repository, type RepositoryCall } from "../client/repository.ts";
import { headerList, headerText } from "../http/headers.ts";
import { isWebPage } from "../http/web-page.ts";
import type { TransportResponse } from "../transport/transport.ts";
import { getManifest } from "./get-manifest.ts";
import { listCatalog } from "./list-catalog.ts";
import { hintingAtV1 } from "./v1-hint.ts";

/** As messages name it. */
const VERSION = "API version";

/** The answer of a registry to a request without credentials. Texts are foreign. */
export interface RegistryGreeting {
  readonly url: string;
  /** HTTP status of the answer to a request without credentials. */
  readonly status: number;
  /** `Docker-Distribution-Api-Version`, where the registry sends it. */
  readonly apiVersion?: string;
  /** `Server`, where the registry sends it. */
  readonly server?: string;
  /** Login that the registry wants; "none": anonymous access. */
  readonly auth: "none" | "basic" | "bearer" | "unknown";
  /** Of "basic" a name, of "bearer" the address of the token server. */
  readonly realm?: string;
  /** Name of the registry at its token server. */
  readonly service?: string;
}

/** @throws NotFoundError when this host has no registry; RegistryError when a web page answers. */
export async function greetRegistry(client: RegistryClient, signal?: AbortSignal): Promise<RegistryGreeting> {
  const ask = async (): Promise<TransportResponse> =>
    await callRoot(client, { verb: "read", what: VERSION, accept: [200, 401, 403], signal });
  const response = await hintingAtV1(client, ask, signal);
  checkRegistry(response, `read ${VERSION} from ${client.registry}`);
  const { status, headers } = response;
  const challenges = parseChallenges(headerList(headers, "www-authenticate"));
  const apiVersion = headerText(headers, "docker-distribution-api-version");
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

/** @throws AuthError when the registry refuses the credentials, or wants some. */
export async function checkAccess(client: RegistryClient, signal?: AbortSignal): Promise<void> {
  await callRoot(client, { verb: "read", what: VERSION, accept: [200], signal });
}

/**
 * Logs in once.
 *
 * @returns false when the registry allows anonymous access, so the credentials were not checked.
 * @throws AuthError when the registry refuses the credentials; NotFoundError when this host has no registry;
 *   RegistryError when a web page answers.
 */
export async function checkLogin(client: RegistryClient, signal?: AbortSignal): Promise<boolean> {
  const ask = async (): Promise<TransportResponse> =>
    await callRoot(client, { verb: "log in", what: "", accept: [200], signal });
  const advice = `run "imgpack hub login v1://${client.registry}"`;
  const response = await hintingAtV1(client, ask, signal, advice);
  checkRegistry(response, `log in to ${client.registry}`);
  return (await client.authorization({ repository: "", actions: "pull" }, signal)) !== undefined;
}

/** False when the connection itself fails, as it does with a host that speaks plain HTTP. */
export async function speaksTls(client: RegistryClient, signal?: AbortSignal): Promise<boolean> {
  try {
    const url = new URL("/v2/", client.base);
    const response = await client.transport.send({ method: "GET", url, headers: {}, signal });
    await response.body.dump();
    return true;
  } catch (cause) {
    signal?.throwIfAborted();
    return !(client.failure(cause, "connect", "", "") instanceof NetworkError);
  }
}

/** @throws RegistryError for a web page. */
function checkRegistry({ status, headers }: TransportResponse, action: string): void {
  if (status !== 200 || headerText(headers, "docker-distribution-api-version") !== undefined || !isWebPage(headers))
    return;
  throw new RegistryError(`Cannot ${action}: found a web page, expected a registry`, {
    status,
    hint: NO_REGISTRY_HINT,
  });
}

async function callRoot(
  client: RegistryClient,
  call: Pick<RepositoryCall, "verb" | "what" | "accept" | "signal">,
): Promise<TransportResponse> {
  return await new Repository(client, "").call({ ...call, method: "GET", url: "" });
}

/** Whether a registry supports something. "denied": it needs other rights. "unknown": there was nothing to try it on. */
export type FeatureSupport = "yes" | "no" | "denied" | "unknown";

/** @returns with the first repository of the catalog, to try other things on. */
export async function probeCatalog(
  client: RegistryClient,
  signal?: AbortSignal,
): Promise<{ readonly support: FeatureSupport; readonly repository?: string | undefined }> {
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
  /** HEAD of a manifest names its digest. */
  readonly head: FeatureSupport;
  /** Parts of blobs. */
  readonly ranges: FeatureSupport;
  /** The referrers API. */
  readonly referrers: FeatureSupport;
}

/** What a repository supports, without writing into it. @param reference an existing tag or digest */
export async function probeRepository(
  repository: Repository,
  reference: string,
  signal?: AbortSignal,
): Promise<RepositoryProbe> {
  const { digest, blob } = await firstBlob(repository, reference, signal);
  const head = await supportOf(async () => {
    const response = await repository.call({
      verb: "read",
      what: `manifest ${reference}`,
      method: "HEAD",
      url: `manifests/${reference}`,
      headers: { accept: MANIFEST_ACCEPT.join(", ") },
      accept: [200],
      signal,
    });
    return headerText(response.headers, "docker-content-digest") === digest;
  });
  const ranges =
    blob === undefined
      ? "unknown"
      : await supportOf(async () => {
          const response = await repository.call({
            verb: "read",
            what: `blob ${blob}`,
            method: "GET",
            url: `blobs/${blob}`,
            headers: { range: "bytes=0-0", "accept-encoding": "identity" },
            accept: [200, 206],
            signal,
          });
          return response.status === 206;
        });
  const referrers = await supportOf(async () => {
    const response = await repository.call({
      verb: "read",
      what: `referrers of ${digest}`,
      method: "GET",
      url: `referrers/${digest}`,
      headers: { accept: OCI_INDEX },
      accept: [200, 429],
      signal,
    });
    return response.status === 200 && headerText(response.headers, "content-type")?.split(";", 1)[0] === OCI_INDEX;
  });
  return { head, ranges, referrers };
}

async function firstBlob(
  repository: Repository,
  reference: string,
  signal: AbortSignal | undefined,
): Promise<{ readonly digest: Digest; readonly blob: Digest | undefined }> {
  const read = async (wanted: string): Promise<{ readonly digest: Digest; readonly view: ManifestView }> => {
    const { descriptor, manifest } = await getManifest(repository, wanted, { signal });
    const view = parseManifest(manifest.bytes, { where: `${repository}`, announced: manifest.mediaType });
    return { digest: descriptor.digest, view };
  };
  const { digest, view } = await read(reference);
  if (view.kind === "image") return { digest, blob: view.config.digest };
  const [child] = view.kind === "index" ? view.manifests : [];
  const inner = child === undefined ? undefined : (await read(child.digest)).view;
  return { digest, blob: inner?.kind === "image" ? inner.config.digest : undefined };
}

async function supportOf(ask: () => Promise<boolean>): Promise<FeatureSupport> {
  try {
    return (await ask()) ? "yes" : "no";
  } catch (error) {
    if (error instanceof AuthError) return "denied";
    if (error instanceof NotFoundError) return "no";
    if (error instanceof RegistryError && !error.transient) return "no";
    throw error;
  }
}
