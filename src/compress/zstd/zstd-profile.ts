import { UsageError } from "../../errors.ts";
import { nodeZstd } from "./node-zstd.ts";

/**
 * zstd of the runtime's own library: equal input gives equal output on any machine that has the same version of that
 * library. The name is part of every key of the digest cache.
 */
export interface ZstdProfile {
  readonly format: "zstd";
  readonly name: string;
  /** 1 to 19. */
  readonly level: number;
}

const DEFAULT_LEVEL = 3;

/**
 * @param level 1 (fast) to 19 (small).
 * @throws UsageError on Node before 22.15, which has no zstd encoder.
 */
export function zstdProfile(level: number = DEFAULT_LEVEL): ZstdProfile {
  if (nodeZstd === undefined) {
    throw new UsageError(
      `Cannot compress layers with zstd: Node ${process.versions.node} has no zstd encoder, expected Node 22.15 or newer`,
      { hint: "Use a newer Node or the single executable of imgpack, or compress with gzip." },
    );
  }
  const library = process.versions["zstd"] ?? `node-${process.versions.node}`;
  return { format: "zstd", name: `imgpack-zstd-v1-${library}-l${level}`, level };
}
