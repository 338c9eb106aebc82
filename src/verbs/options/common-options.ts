import type { Readable } from "node:stream";
import type { OnProgress, ProgressEvent } from "../../content/progress.ts";
import type { Kind, OptionsShape } from "../../util/options/checked-options.ts";
import {
  CONCURRENCY_KIND,
  choice,
  FLAG,
  kindOf,
  listener,
  READABLE,
  SIGNAL,
  TEXT,
  TEXTS,
} from "../../util/options/option-kinds.ts";
import {
  type Compression,
  FOREIGN,
  type Foreign,
  LAYERS,
  type Layers,
  SPARSE,
  type Sparse,
  TOOL_TARGETS,
  type ToolTarget,
} from "./choices.ts";
import { REGISTRY, type RegistryOptions } from "./registry-options.ts";

interface CommonOptions {
  readonly registry?: string | RegistryOptions | undefined;
  readonly onProgress?: OnProgress | undefined;
  readonly signal?: AbortSignal | undefined;
}

interface ReadingOptions extends Omit<CommonOptions, "registry"> {
  readonly stdin?: Readable | undefined;
}

interface TransferOptions extends CommonOptions {
  readonly concurrency?: number | undefined;
  readonly cacheDir?: string | undefined;
  readonly dryRun?: boolean | undefined;
}

/** Options that most functions have. */
export const COMMON: OptionsShape<CommonOptions> = {
  registry: REGISTRY,
  onProgress: listener<ProgressEvent>(),
  signal: SIGNAL,
};

/** Options of the functions that read an archive. */
export const READING: OptionsShape<ReadingOptions> = {
  stdin: READABLE,
  onProgress: COMMON.onProgress,
  signal: COMMON.signal,
};

/** Options of the functions that send blobs. */
export const TRANSFER: OptionsShape<TransferOptions> = {
  ...COMMON,
  concurrency: CONCURRENCY_KIND,
  cacheDir: TEXT,
  dryRun: FLAG,
};

export const LAYERS_KIND: Kind<Layers> = choice(LAYERS);
export const SPARSE_KIND: Kind<Sparse> = choice(SPARSE);
export const FOREIGN_KIND: Kind<Foreign> = choice(FOREIGN);
export const TOOLS: Kind<ToolTarget | readonly ToolTarget[]> = {
  checked: (value, option) => {
    const texts = TEXTS.checked(value, option);
    return (typeof texts === "string" ? [texts] : texts).map(text => choice(TOOL_TARGETS).checked(text, option));
  },
};
export const PLATFORMS: Kind<string | readonly string[]> = TEXTS;
export const COMPRESSION: Kind<Compression> = kindOf(
  "auto, keep, gzip, gzip:1, gzip:2, gzip:4 to gzip:12, zstd, or zstd:1 to zstd:19",
  value => (isCompression(value) ? value : undefined),
);

function isCompression(value: unknown): value is Compression {
  return (
    typeof value === "string" && /^(?:auto|keep|gzip(?::(?:[124-9]|1[0-2]))?|zstd(?::(?:[1-9]|1[0-9]))?)$/.test(value)
  );
}
