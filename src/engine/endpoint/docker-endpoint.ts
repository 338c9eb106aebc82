import { homedir } from "node:os";
import { join } from "node:path";
import { stat } from "../../util/read-disk.ts";
import { readDockerContext } from "./docker-context.ts";
import type { Endpoint } from "./endpoint.ts";
import { parseEndpoint } from "./parse-endpoint.ts";
import { readTlsFolder } from "./tls-folder.ts";

const DEFAULT_SOCKET = "/var/run/docker.sock";

/**
 * Where docker is: $DOCKER_HOST, the docker context that is in use, or the first socket that exists of /var/run/docker.sock
 * and that of a rootless docker.
 *
 * @throws UsageError for an address that cannot be used; StorageError for a file of the configuration.
 */
export async function dockerEndpoint(env: NodeJS.ProcessEnv): Promise<Endpoint> {
  const folder = env["DOCKER_CONFIG"] || join(env["HOME"] || homedir(), ".docker");
  const host = env["DOCKER_HOST"];
  if (host) return parseEndpoint("docker", host, "DOCKER_HOST", await tlsOf(env, host, folder));
  const context = await readDockerContext(folder, env["DOCKER_CONTEXT"]);
  if (context !== undefined) return parseEndpoint("docker", context.host, context.origin, context.tls);
  return parseEndpoint("docker", await defaultAddress(env), "the default socket");
}

async function defaultAddress(env: NodeJS.ProcessEnv): Promise<string> {
  if (process.platform === "win32") return "npipe:////./pipe/docker_engine";
  const runtime = env["XDG_RUNTIME_DIR"];
  const rootless = runtime ? join(runtime, "docker.sock") : undefined;
  if (rootless === undefined || (await exists(DEFAULT_SOCKET))) return `unix://${DEFAULT_SOCKET}`;
  return `unix://${(await exists(rootless)) ? rootless : DEFAULT_SOCKET}`;
}

async function tlsOf(env: NodeJS.ProcessEnv, host: string, folder: string): Promise<Endpoint["tls"]> {
  const verify = Boolean(env["DOCKER_TLS_VERIFY"]);
  if (!host.startsWith("tcp://") || !(verify || env["DOCKER_TLS"])) return undefined;
  return { ...(await readTlsFolder(env["DOCKER_CERT_PATH"] || folder)), rejectUnauthorized: verify };
}

export async function exists(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  );
}
