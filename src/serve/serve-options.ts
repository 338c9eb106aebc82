import { UsageError } from "../errors.ts";
import { quote } from "../util/format.ts";
import type { OptionsShape } from "../util/options/checked-options.ts";
import { FOLDER_PATH, group, observer, required, SIGNAL, TEXT, TEXTS, whole } from "../util/options/option-kinds.ts";
import { checkServerTls, type ServerTls } from "./access/certificate.ts";
import { type Accounts, parseHtpasswd } from "./access/htpasswd.ts";
import { type ListenAddress, parseListenAddress } from "./connections/listen-address.ts";
import type { ServeEvent } from "./serve-event.ts";
import { type HostRule, plainHost } from "./trusted-host.ts";

const LISTEN = "127.0.0.1:0";

/** Options of `serve`. */
export interface ServeOptions {
  /**
   * Archives, folders, volumes, deltas with their bases and patches, in any order: a registry that is only read. Either
   * these, or `store`.
   */
  readonly archives?: string | readonly string[] | undefined;
  /** Folder of a registry that can be written to; it is created if it does not exist. */
  readonly store?: string | undefined;
  /**
   * Addresses to listen on, each `HOST:PORT`; port 0 picks a free one. Default "127.0.0.1:0". Any other host than one of
   * loopback is open to its network.
   */
  readonly listen?: string | readonly string[] | undefined;
  /**
   * Names that clients use for this registry. On loopback, they are accepted in addition to addresses and local names such
   * as localhost. On other addresses, any name is accepted if this is empty.
   */
  readonly allowHost?: string | readonly string[] | undefined;
  /** Speaks TLS alone. Without it, the registry speaks plain HTTP. */
  readonly tls?: ServerTls | undefined;
  /** Text of an htpasswd file with bcrypt hashes: only these users may use the registry. Without it, everyone may. */
  readonly htpasswd?: string | undefined;
  /** Closes the registry when it aborts. */
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds that running requests get when the registry closes, before their connections are cut. Default 0. */
  readonly drainMs?: number | undefined;
  /** Is called with each request, after it was answered, and with each fault. What it throws is ignored. */
  readonly onEvent?: ((event: ServeEvent) => void) | undefined;
}

const SERVER_TLS: OptionsShape<ServerTls> = { cert: required(TEXT), key: required(TEXT), passphrase: TEXT };

export const SERVE_OPTIONS: OptionsShape<ServeOptions> = {
  archives: TEXTS,
  store: FOLDER_PATH,
  listen: TEXTS,
  allowHost: TEXTS,
  tls: group(SERVER_TLS),
  htpasswd: TEXT,
  signal: SIGNAL,
  drainMs: whole(0),
  onEvent: observer<ServeEvent>(),
};

/** What options mean for the server itself. */
export interface ServerSettings {
  readonly addresses: readonly ListenAddress[];
  readonly hosts: HostRule;
  /** Undefined if everyone may use the registry. */
  readonly accounts: Accounts | undefined;
  /** What clients will refuse of the certificate, as sentences. */
  readonly notes: readonly string[];
}

/** @throws UsageError for an address or a name that is malformed, and for a certificate or a text of users that cannot be used. */
export function serverSettings({ listen = LISTEN, allowHost = [], tls, htpasswd }: ServeOptions): ServerSettings {
  const addresses = [listen].flat().map(parseListenAddress);
  const allowed = [allowHost].flat().map(checkedHost);
  const names = new Set([...allowed, ...addresses.map(({ host }) => plainHost(host))]);
  return {
    addresses,
    hosts: { names, isStrict: allowed.length > 0 },
    accounts: htpasswd === undefined ? undefined : parseHtpasswd(htpasswd),
    notes: tls === undefined ? [] : checkServerTls(tls, Date.now()),
  };
}

function checkedHost(text: string): string {
  const host = plainHost(text);
  if (/^[a-z0-9.:-]+$/.test(host)) return host;
  throw new UsageError(`Cannot allow host ${quote(text)}: malformed, expected a name, such as registry.lan`);
}
