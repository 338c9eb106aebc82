import { UsageError } from "../errors.ts";
import { registryHost } from "../oci/reference.ts";
import { readRegistryName } from "../oci/registry-name.ts";
import { quote } from "../util/format.ts";
import type { RetryEvent } from "../util/retry.ts";
import { addressKind } from "./address.ts";
import { Authenticator } from "./auth.ts";
import { type CredentialOptions, findCredentials } from "./credentials.ts";
import { RegistryClient, USER_AGENT } from "./registry-client.ts";
import type { TransportOptions } from "./tls-options.ts";
import { MAX_TOKEN_REPLY_BYTES, type TokenHttpRequest, type TokenHttpResponse } from "./token-request.ts";
import { Transport } from "./transport.ts";

export interface ConnectOptions extends TransportOptions, Omit<CredentialOptions, "signal"> {
  readonly onRetry?: ((event: RetryEvent, what: string) => void) | undefined;
}

/**
 * A client for one registry, with the credentials that flags, environment or configuration files hold for it.
 *
 * @param registry as in references: `host[:port]`, `docker.io` for Docker Hub.
 */
export async function connectRegistry(
  registry: string,
  options: ConnectOptions = {},
  signal?: AbortSignal,
): Promise<RegistryClient> {
  const base = registryUrl(registry, options);
  const transport = new Transport(base, options);
  const credentials = await findCredentials(registry, { ...options, signal });
  const authenticator = new Authenticator({
    registry: base,
    credentials,
    fetchToken: async request => await fetchToken(transport, request),
  });
  return new RegistryClient({ registry, base, transport, authenticator, credentials, onRetry: options.onRetry });
}

/**
 * https, except where plain HTTP was asked for, or for a loopback name without TLS options, as docker does.
 *
 * @throws UsageError when the text is not `host[:port]`.
 */
export function registryUrl(registry: string, options: TransportOptions): URL {
  const host = checkedHost(registry);
  const { hostname } = new URL(`http://${host}`);
  const isPlain =
    options.plainHttp ??
    (addressKind(hostname) === "loopback" && options.insecure !== true && options.ca === undefined);
  return new URL(`${isPlain ? "http" : "https"}://${host}/`);
}

function checkedHost(registry: string): string {
  const read = readRegistryName(registryHost(registry));
  if ("name" in read) return read.name;
  const isUrl = /^https?:\/\//i.test(registry);
  const hint = isUrl
    ? "Leave the scheme out; --plain-http chooses HTTP without TLS."
    : (read.hint ?? "Write it as HOST or HOST:PORT, for example registry.lan:5000.");
  const found = isUrl ? "a URL" : read.found;
  const expected = isUrl ? "a host with or without a port" : read.expected;
  throw new UsageError(`Cannot connect to registry ${quote(registry)}: found ${found}, expected ${expected}`, { hint });
}

async function fetchToken(transport: Transport, request: TokenHttpRequest): Promise<TokenHttpResponse> {
  const response = await transport.send({
    method: request.method,
    url: request.url,
    headers: { "user-agent": USER_AGENT, ...request.headers },
    body: request.body === undefined ? undefined : Buffer.from(request.body),
    signal: request.signal,
  });
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of response.body) {
    parts.push(part);
    bytes += part.length;
    if (bytes > MAX_TOKEN_REPLY_BYTES) break;
  }
  return { status: response.status, headers: response.headers, body: Buffer.concat(parts) };
}
