import { isIPv6 } from "node:net";
import { UsageError } from "../../errors.ts";
import type { EngineKind } from "../../oci/names/engine-name.ts";
import { escapeForeign, quote } from "../../util/format.ts";
import type { Endpoint } from "./endpoint.ts";

const PLAIN_PORT = 2375;
const TLS_PORT = 2376;
const MAX_PORT = 65_535;

/**
 * Reads the address of an engine as docker and podman write it: `unix://PATH`, `npipe://PATH`, `tcp://HOST[:PORT]`.
 *
 * @param origin says where the address comes from, for messages, such as "DOCKER_HOST".
 * @throws UsageError for any other; that for `ssh://` names the pipe that does the same.
 */
export function parseEndpoint(
  engine: Exclude<EngineKind, "containerd">,
  address: string,
  origin: string,
  tls?: Endpoint["tls"],
): Endpoint {
  const hints = {
    start: `Start ${engine}, or set ${engine === "docker" ? "DOCKER_HOST" : "CONTAINER_HOST"} to its socket.`,
    permit:
      engine === "docker"
        ? "Add this user to the group docker and log in again, or run the command as root."
        : "Run the command as the user that podman runs as, or as root.",
  };
  const reached = { address, what: `${engine} at ${escapeForeign(address)}`, hints };
  const [, scheme, rest = ""] = /^([a-z]+):\/\/(.*)$/.exec(address) ?? [];
  if (scheme === "unix" && rest.startsWith("/")) return { ...reached, at: { socketPath: rest } };
  if (scheme === "npipe" && rest !== "") return { ...reached, at: { socketPath: rest.replaceAll("/", "\\") } };
  if (scheme === "tcp" || scheme === "http" || scheme === "https") {
    const at = hostAndPort(rest, tls !== undefined || scheme === "https" ? TLS_PORT : PLAIN_PORT);
    const secure = tls ?? (scheme === "https" ? { rejectUnauthorized: true } : undefined);
    if (at !== undefined) return { ...reached, at, tls: secure };
  }
  if (scheme === "ssh") throw overSsh(engine, rest, origin);
  const port = Number(/^tcp:\/\/.*:(\d+)\/?$/.exec(address)?.[1] ?? 1);
  const expected = port > MAX_PORT ? `a port from 1 to ${MAX_PORT}` : "unix://PATH or tcp://HOST:PORT";
  throw new UsageError(`Cannot use ${origin}: found ${quote(address)}, expected ${expected}`);
}

function hostAndPort(text: string, defaultPort: number): { readonly host: string; readonly port: number } | undefined {
  if (!URL.canParse(`http://${text}`)) return undefined;
  const { hostname, port, pathname, search, username } = new URL(`http://${text}`);
  if (hostname === "" || username !== "" || pathname !== "/" || search !== "") return undefined;
  const host = hostname.replace(/^\[(.*)\]$/, "$1");
  // A port that is the scheme's own is left out by URL.
  const own = /:(\d+)\/?$/.exec(isIPv6(text) ? "" : text)?.[1];
  return { host, port: port === "" ? Number(own ?? defaultPort) : Number(port) };
}

function overSsh(engine: string, rest: string, origin: string): UsageError {
  const host = /^[\w.@-]+/.exec(rest)?.[0] ?? "HOST";
  return new UsageError(`Cannot use ${origin}: found ${quote(`ssh://${rest}`)}, expected a socket of this machine`, {
    hint: `Use ssh itself: "ssh ${host} ${engine} save IMAGE | imgpack push -", or "imgpack pull REF -o - | ssh ${host} ${engine} load".`,
  });
}
