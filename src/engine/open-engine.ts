import type { EngineKind } from "../oci/names/engine-name.ts";
import { apiEngine } from "./api/api-engine.ts";
import { containerdEngine } from "./command/containerd-engine.ts";
import { podmanCommand } from "./command/podman-command.ts";
import { dockerEndpoint } from "./endpoint/docker-endpoint.ts";
import { podmanEndpoint } from "./endpoint/podman-endpoint.ts";
import type { Engine } from "./engine.ts";

const IDLE_MS = 120_000;

/**
 * Finds an engine as its own command would; nothing is sent to it yet.
 *
 * @param idleMs that it may be silent while it is asked, in milliseconds; default 120,000.
 * @throws UsageError, StorageError for a configuration that cannot be used.
 */
export async function openEngine(
  kind: EngineKind,
  idleMs: number = IDLE_MS,
  env: NodeJS.ProcessEnv = process.env,
): Promise<Engine> {
  if (kind === "containerd") return containerdEngine(env);
  if (kind === "docker") return apiEngine(kind, await dockerEndpoint(env), idleMs);
  const endpoint = await podmanEndpoint(env);
  return endpoint === undefined ? podmanCommand(env) : apiEngine(kind, endpoint, idleMs);
}
