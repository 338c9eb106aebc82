import { UsageError } from "../../errors.ts";
import { type RegistryOptions, registryOptions } from "./registry-options.ts";

export interface V1Choices {
  readonly registry?: string | RegistryOptions | undefined;
  readonly report?: unknown;
  readonly compression?: unknown;
  readonly v1Checksums?: unknown;
}

/** For a call that reaches no v1 registry. @throws UsageError for options that only v1 registries have. */
export function refuseV1Options({ registry, report, compression, v1Checksums }: V1Choices): void {
  const { v1Path, v1Endpoint } = registryOptions(registry);
  const given = {
    "--report": report,
    "--compression": compression,
    "--no-v1-checksums": v1Checksums,
    "--v1-path": v1Path,
    "--endpoint": v1Endpoint,
  };
  const [found] = Object.entries(given).flatMap(([name, value]) => (value === undefined ? [] : [name]));
  if (found === undefined) return;
  throw new UsageError(`Cannot use ${found}: it is for v1 registries, expected references such as v1://HOST/**`);
}

/** The options of a call that reaches v1 registries, for the others that it reaches. */
export function withoutV1Options(registry: string | RegistryOptions | undefined): RegistryOptions {
  return { ...registryOptions(registry), v1Path: undefined, v1Endpoint: undefined };
}
