import { connectV1 } from "../../registry/v1/connect-v1.ts";
import type { V1Client } from "../../registry/v1/v1-client.ts";
import { connectOptions } from "../options/connect-options.ts";
import { registryOptions } from "../options/registry-options.ts";
import type { RemoteOptions } from "../shared/remote-image.ts";

/** Runs `task` with a client of a v1 registry or index, and closes it. @throws UsageError as `connectV1` */
export async function withV1Client<T>(
  host: string,
  options: RemoteOptions,
  task: (client: V1Client) => Promise<T>,
): Promise<T> {
  const { v1Path, v1Endpoint: endpoint } = registryOptions(options.registry);
  await using client = await connectV1(host, { ...connectOptions(options), v1Path, endpoint }, options.signal);
  return await task(client);
}
