import { type RunOptions, type RunResult, run } from "./run.ts";

/** skopeo copy between transports, registries by plain HTTP allowed. */
export function copyWithSkopeo(
  source: string,
  target: string,
  flags: readonly string[] = [],
  options?: RunOptions,
): Promise<RunResult> {
  const trust = ["--src-tls-verify=false", "--dest-tls-verify=false"];
  return run("skopeo", ["--insecure-policy", "copy", ...trust, ...flags, source, target], options);
}
