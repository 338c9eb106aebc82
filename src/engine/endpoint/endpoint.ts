import type { Reached } from "../engine-fault.ts";

/** Where the API of an engine is. */
export interface Endpoint extends Reached {
  /** Such as `unix:///var/run/docker.sock` or `tcp://build.lan:2376`. */
  readonly address: string;
  readonly at: { readonly socketPath: string } | { readonly host: string; readonly port: number };
  /** PEM; absent without TLS. */
  readonly tls?: EndpointTls | undefined;
}

export interface EndpointTls {
  readonly ca?: Buffer | undefined;
  readonly cert?: Buffer | undefined;
  readonly key?: Buffer | undefined;
  /** False takes any certificate. */
  readonly rejectUnauthorized: boolean;
}
