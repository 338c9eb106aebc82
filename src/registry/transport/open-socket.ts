import {
  connect as connectTcp,
  type LookupFunction,
  type OnReadOpts,
  type Socket,
  type TcpNetConnectOpts,
} from "node:net";
import { connect as connectTls } from "node:tls";
import { ipFamily } from "../../util/net/ip-family.ts";
import { PROBE_AFTER_MS } from "../http/probe-after.ts";
import { type TransportOptions, tlsOptions, trustLevel } from "../http/tls-options.ts";
import { originOf, portOf } from "../origin/origin.ts";
import type { TlsSessions } from "../origin/tls-sessions.ts";

/**
 * Begins a direct connection to the host of a URL. What is read goes to `onread`.
 *
 * @param sessions of connections with the same options to the same origin.
 */
export function openSocket(
  url: URL,
  options: TransportOptions,
  lookup: LookupFunction | undefined,
  onread: OnReadOpts,
  sessions?: TlsSessions,
): Socket {
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const target: TcpNetConnectOpts = {
    host,
    port: Number(portOf(url)),
    ...{ keepAlive: true, keepAliveInitialDelay: PROBE_AFTER_MS },
    ...(lookup === undefined ? {} : { lookup }),
    onread,
  };
  if (url.protocol !== "https:") return connectTcp(target).setNoDelay(true);
  const key = `${originOf(url)} ${trustLevel()}`;
  const session = sessions?.get(key);
  const socket = connectTls({
    ...target,
    // An address is no server name (RFC 6066, section 3); the certificate is held against `host` all the same.
    servername: ipFamily(host) === 0 ? host : "",
    ALPNProtocols: ["http/1.1"],
    ...tlsOptions(options),
    ...(session === undefined ? {} : { session }),
  });
  sessions?.watch(key, socket);
  return socket.setNoDelay(true);
}
