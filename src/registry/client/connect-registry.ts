import { UsageError } from "../../errors.ts";
import { registryHost } from "../../oci/reference.ts";
import { readRegistryName } from "../../oci/registry-name.ts";
import { errorCode } from "../../util/error-code.ts";
import { quote } from "../../util/format.ts";
import { Authenticator } from "../auth/authenticator.ts";
import { type ResolveHost, resolveHost } from "../auth/realm-policy.ts";
import { tokenFetcher } from "../auth/token-request.ts";
import { type CredentialOptions, credentialsFor } from "../credentials/find-credentials.ts";
import { type CertsFolderOptions, readCertsFolder } from "../http/certs-folder.ts";
import { proxiesOf } from "../http/proxy-settings.ts";
import { RequestQuota } from "../http/request-quota.ts";
import { type TransportOptions, tlsOptions } from "../http/tls-options.ts";
import { addressKind } from "../origin/address.ts";
import { Transport } from "../transport/transport.ts";
import type { RegistryClientOptions } from "./client-options.ts";
import { RegistryClient } from "./registry-client.ts";

export interface ConnectOptions
  extends TransportOptions,
    CertsFolderOptions,
    Omit<CredentialOptions, "signal" | "repository"> {
  readonly onRetry?: RegistryClientOptions["onRetry"];
  readonly onWait?: RegistryClientOptions["onWait"];
  readonly onPushBack?: RegistryClientOptions["onPushBack"];
  readonly concurrency?: RegistryClientOptions["concurrency"];
  /** Attempts of a request in total; default 5. */
  readonly attempts?: number | undefined;
  readonly outageMs?: RegistryClientOptions["outageMs"];
  /** Is called with how many requests the registry still takes. */
  readonly onNote?: ((text: string) => void) | undefined;
  /** Waits while the registry takes no more requests, instead of failing. Default false. */
  readonly waitsForQuota?: boolean | undefined;
}

/**
 * A client for one registry, with the credentials that flags, environment or configuration files hold for it, the
 * certificates of its certs.d folder and the proxies of the environment.
 *
 * @param registry as in references: `host[:port]`, `docker.io` for Docker Hub.
 * @throws UsageError for certificates or variables that cannot be used.
 */
export async function connectRegistry(
  registry: string,
  options: ConnectOptions = {},
  signal?: AbortSignal,
): Promise<RegistryClient> {
  const connection = await openConnection(registry, checkedHost(registry), options, signal);
  const { base, transport, resolve } = connection;
  const credentials = credentialsFor(registry, options);
  const fetchToken = tokenFetcher(transport);
  const authenticator = new Authenticator({ registry: base, credentials, fetchToken, resolve });
  return new RegistryClient({ ...connection, registry, authenticator });
}

/** What a client of a registry builds on. */
export interface Connection
  extends Pick<
    RegistryClientOptions,
    "base" | "transport" | "onRetry" | "onWait" | "onPushBack" | "concurrency" | "attempts" | "outageMs" | "quota"
  > {
  readonly resolve: ResolveHost;
}

/**
 * Prepares connections to a host, with the certificates of its certs.d folder and the proxies of the environment.
 *
 * @param registry as in references, for messages.
 * @param host of its API: `host[:port]`.
 * @throws UsageError as `connectRegistry`.
 */
export async function openConnection(
  registry: string,
  host: string,
  options: ConnectOptions,
  signal: AbortSignal | undefined,
): Promise<Connection> {
  const env = options.env ?? process.env;
  const choices = await transportOptions(registry, options);
  signal?.throwIfAborted();
  const base = hostUrl(host, choices);
  checkTls(registry, base, choices, env);
  const proxyFor = proxiesOf(env);
  return {
    base,
    transport: new Transport(base, choices, proxyFor, async url => await foreignOptions(url, options)),
    // Names cannot be resolved on this side of a proxy.
    resolve: async (name, url) => (proxyFor(url) === undefined ? await resolveHost(name) : []),
    onRetry: options.onRetry,
    onWait: options.onWait,
    onPushBack: options.onPushBack,
    concurrency: options.concurrency,
    attempts: options.attempts,
    outageMs: options.outageMs,
    quota: new RequestQuota({ registry, onNote: options.onNote, waits: options.waitsForQuota }),
  };
}

/** The given options, completed from certs.d. */
async function transportOptions(registry: string, options: ConnectOptions): Promise<TransportOptions> {
  const { plainHttp, insecure, idleMs, rate, minRate } = options;
  const folder = plainHttp === true ? undefined : await readCertsFolder(registry, options);
  const ca = options.ca ?? folder?.ca;
  const clientCertificates = options.clientCertificates ?? folder?.clientCertificates;
  return { plainHttp, insecure, ca, clientCertificates, idleMs, rate, minRate };
}

/** A token server or a storage host uses only the certs.d folder of its own name (security case A-19). */
async function foreignOptions(url: URL, options: CertsFolderOptions): Promise<TransportOptions> {
  if (url.protocol !== "https:") return {};
  const folder = await readCertsFolder(url.host, options);
  return folder === undefined ? {} : { ca: folder.ca, clientCertificates: folder.clientCertificates };
}

function checkTls(registry: string, base: URL, options: TransportOptions, env: NodeJS.ProcessEnv): void {
  if (base.protocol !== "https:") return;
  if (env["NODE_TLS_REJECT_UNAUTHORIZED"] === "0" && options.insecure !== true) {
    throw new UsageError(
      `Cannot connect to ${registry}: NODE_TLS_REJECT_UNAUTHORIZED is 0, expected it unset, or --insecure in addition`,
      { hint: "That variable would accept any certificate of any server; --insecure is for this registry alone." },
    );
  }
  try {
    tlsOptions(options);
  } catch (cause) {
    throw new UsageError(
      `Cannot use certificates for ${registry}: ${certificateFault(cause, options)}, expected PEM certificates and the key of the first`,
      { cause, hint: "See --ca-file, --cert-file and --key-file, and the registry's folder in certs.d." },
    );
  }
}

function certificateFault(cause: unknown, { clientCertificates = [] }: TransportOptions): string {
  const code = errorCode(cause);
  if (code === "ERR_OSSL_X509_KEY_VALUES_MISMATCH") return "a key of another certificate";
  const isLocked = clientCertificates.some(({ key }) => key.includes("ENCRYPTED"));
  // One wrong passphrase of 256 ends in plausible padding, so that OpenSSL calls the key inside unsupported.
  const isWrongKey = isLocked && code === "ERR_OSSL_UNSUPPORTED";
  const isEncrypted = isWrongKey || /BAD_DECRYPT|BAD_PASSWORD|INTERRUPTED_OR_CANCELLED|PASSWORD/.test(code);
  return isEncrypted
    ? "an encrypted key without its right passphrase (IMGPACK_KEY_PASSPHRASE)"
    : "unreadable certificates";
}

/**
 * https, except for plain HTTP by option, and for a loopback name without TLS options, as docker does.
 *
 * @throws UsageError when the text is not `host[:port]`.
 */
export function registryUrl(registry: string, options: TransportOptions): URL {
  return hostUrl(checkedHost(registry), options);
}

function hostUrl(host: string, options: TransportOptions): URL {
  const { hostname } = new URL(`http://${host}`);
  const isPlain =
    options.plainHttp ??
    (addressKind(hostname) === "loopback" &&
      options.insecure !== true &&
      options.ca === undefined &&
      (options.clientCertificates ?? []).length === 0);
  return new URL(`${isPlain ? "http" : "https"}://${host}/`);
}

const URL_HINT = "Leave the scheme out; --plain-http chooses HTTP without TLS.";
const PATH_HINT = 'Leave the path out; "push" and "copy" take it with "--to HOST/PATH".';

/**
 * @param host of the API of this registry.
 * @throws UsageError when it is not `host[:port]`.
 */
export function checkedHost(registry: string, host: string = registryHost(registry)): string {
  const read = readRegistryName(host);
  if ("name" in read) return read.name;
  const isUrl = /^[a-z][a-z0-9+.-]*:\/\//i.test(registry);
  const isPath = !isUrl && registry.includes("/");
  const ownHint = isUrl ? URL_HINT : isPath ? PATH_HINT : undefined;
  const hint = ownHint ?? read.hint ?? "Write it as HOST or HOST:PORT, for example registry.lan:5000.";
  const found = isUrl ? "a URL" : isPath ? "a path after the host" : read.found;
  const expected = isUrl || isPath ? "a host with or without a port" : read.expected;
  // A text with "@" may be a password.
  const named = registry.includes("@") ? "" : ` ${quote(registry)}`;
  throw new UsageError(`Cannot connect to registry${named}: found ${found}, expected ${expected}`, { hint });
}
