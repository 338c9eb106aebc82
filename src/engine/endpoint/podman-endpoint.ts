import { join } from "node:path";
import { exists } from "./docker-endpoint.ts";
import type { Endpoint } from "./endpoint.ts";
import { parseEndpoint } from "./parse-endpoint.ts";

/**
 * Where podman's service is: $CONTAINER_HOST, or the socket of this user.
 *
 * @returns undefined without a socket: podman needs no service, and its command does the same.
 * @throws UsageError for an address that cannot be used.
 */
export async function podmanEndpoint(env: NodeJS.ProcessEnv): Promise<Endpoint | undefined> {
  const host = env["CONTAINER_HOST"];
  if (host) return parseEndpoint("podman", host, "CONTAINER_HOST");
  const runtime = env["XDG_RUNTIME_DIR"];
  const isRoot = process.getuid?.() === 0;
  const socket = isRoot ? "/run/podman/podman.sock" : runtime && join(runtime, "podman", "podman.sock");
  if (!socket || !(await exists(socket))) return undefined;
  return parseEndpoint("podman", `unix://${socket}`, "the default socket");
}
