/**
 * Frozen parameters of the deterministic gzip: equal input gives equal output on any number of cores, platform and Node
 * build. The name is part of every key of the digest cache; a change of the output needs a new name.
 */
export interface GzipProfile {
  readonly name: string;
  /** libdeflate level, 1 to 12. */
  readonly level: number;
}

/** Input bytes per gzip member. Chosen by measurement: docs/BENCHMARKS.md. */
export const GZIP_BLOCK_BYTES: number = 1024 * 1024;

const DEFAULT_LEVEL = 4;

/** @param level libdeflate level, 1 (fast) to 12 (small). */
export function gzipProfile(level: number = DEFAULT_LEVEL): GzipProfile {
  return { name: `imgpack-gzip-v1-l${level}`, level };
}
