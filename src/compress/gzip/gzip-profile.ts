/**
 * Frozen parameters of the deterministic gzip: equal input gives equal output on any number of cores, platform and Node
 * build. The name is part of every key of the digest cache; a change of the output needs a new name.
 */
export interface GzipProfile {
  readonly format: "gzip";
  readonly name: string;
  /** 1 (fast), 2 (small), or 4 to 12, the levels of libdeflate. */
  readonly level: number;
}

/** Input bytes per gzip member. Chosen by measurement: docs/BENCHMARKS.md. */
export const GZIP_BLOCK_BYTES: number = 1024 * 1024;

const DEFAULT_LEVEL = 2;

/** @param level 1 (fast), 2 (small), or 4 to 12 (smaller, at several times the CPU time). */
export function gzipProfile(level: number = DEFAULT_LEVEL): GzipProfile {
  return { format: "gzip", name: `imgpack-gzip-v2-l${level}`, level };
}
