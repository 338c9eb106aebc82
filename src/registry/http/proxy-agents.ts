import { Agent as HttpAgent, request as httpRequest } from "node:http";
import type { Duplex } from "node:stream";
import { connect as connectTls } from "node:tls";
import { PROBE_AFTER_MS } from "./probe-after.ts";
import type { HttpProxy, ProxyFor } from "./proxy-settings.ts";
import { openTunnel } from "./proxy-tunnel.ts";
import { type TransportOptions, tlsOptions, trustLevel } from "./tls-options.ts";

const KEEP_ALIVE = {
  keepAlive: true,
  keepAliveMsecs: PROBE_AFTER_MS,
  maxFreeSockets: 64,
  scheduling: "lifo",
} as const;

export type HttpClient = Pick<typeof import("node:http"), "request">;

export interface Way {
  readonly client: HttpClient;
  readonly agent: HttpAgent;
  /** A proxy that forwards requests with the whole URL in the request line. Absent for tunnels. */
  readonly forwarder: HttpProxy | undefined;
}

/** Keep-alive connections with one set of TLS options, direct and through proxies. */
export class Agents {
  readonly #options: TransportOptions;
  readonly #proxyFor: ProxyFor;
  readonly #agents = new Map<string, HttpAgent>();

  constructor(options: TransportOptions, proxyFor: ProxyFor) {
    this.#options = options;
    this.#proxyFor = proxyFor;
  }

  /** True when the options name certificates for these connections. */
  get hasOwnTrust(): boolean {
    const { ca, clientCertificates = [] } = this.#options;
    return ca !== undefined || clientCertificates.length > 0;
  }

  /** @throws Error of OpenSSL for certificates that cannot be used. */
  async forUrl(url: URL): Promise<Way> {
    const proxy = this.#proxyFor(url);
    if (url.protocol === "http:") return await this.#plain(proxy);
    // Loaded when needed, because loading dominates the time of a short command.
    const https = await import("node:https");
    const agent = this.#agent(`tls ${proxy?.url.href ?? ""} ${trustLevel()}`, () => {
      const made = new https.Agent({ ...KEEP_ALIVE, ...tlsOptions(this.#options) });
      return proxy === undefined ? made : throughTunnel(made, proxy);
    });
    return { client: { request: https.request }, agent, forwarder: undefined };
  }

  destroy(): void {
    for (const agent of this.#agents.values()) agent.destroy();
  }

  /** Closes connections that carry no request. */
  dropIdle(): void {
    for (const agent of this.#agents.values()) {
      for (const sockets of Object.values(agent.freeSockets)) for (const socket of sockets ?? []) socket.destroy();
    }
  }

  async #plain(proxy: HttpProxy | undefined): Promise<Way> {
    if (proxy?.url.protocol !== "https:") {
      const agent = this.#agent("plain", () => new HttpAgent(KEEP_ALIVE));
      return { client: { request: httpRequest }, agent, forwarder: proxy };
    }
    const https = await import("node:https");
    // The proxy is not part of the registry, so it gets none of its TLS options.
    const agent = this.#agent("tls-proxy", () => new https.Agent({ ...KEEP_ALIVE, ...tlsOptions({}) }));
    return { client: { request: https.request }, agent, forwarder: proxy };
  }

  #agent(key: string, make: () => HttpAgent): HttpAgent {
    const agent = this.#agents.get(key) ?? make();
    this.#agents.set(key, agent);
    return agent;
  }
}

interface TunnelOptions {
  readonly host: string;
  readonly port: number | string;
}

type OnConnection = (error: Error | null, socket?: Duplex) => void;

/** Makes the connections of an agent inside tunnels. */
function throughTunnel(agent: HttpAgent, proxy: HttpProxy): HttpAgent {
  const createConnection = (options: TunnelOptions, onConnection: OnConnection): undefined => {
    const { host, port } = options;
    const target = `${host.includes(":") ? `[${host}]` : host}:${port}`;
    openTunnel(proxy, target).then(
      socket => {
        const secured = connectTls({ ...options, port: Number(port), socket });
        onConnection(null, secured);
      },
      (error: Error) => onConnection(error),
    );
    return undefined;
  };
  return Object.assign(agent, { createConnection });
}
