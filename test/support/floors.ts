/** The floors of src/: which folder may import which. CONTRIBUTING.md prints this table; a test keeps both equal. */
export interface Floor {
  /** Folder, or file, below src/. */
  readonly name: string;
  /** Floors it may import, besides itself and `node:`. */
  readonly imports: readonly string[];
  /** Packages that only this floor may import. */
  readonly packages: readonly string[];
}

const BASE = ["errors.ts", "util"] as const;

export const FLOORS: readonly Floor[] = [
  { name: "errors.ts", imports: ["util/redact.ts"], packages: [] },
  { name: "util", imports: ["errors.ts"], packages: ["p-limit", "valibot"] },
  { name: "oci", imports: BASE, packages: [] },
  { name: "bundle", imports: [...BASE, "oci"], packages: ["yaml"] },
  { name: "tar", imports: BASE, packages: [] },
  { name: "compress", imports: BASE, packages: ["libdeflate"] },
  { name: "content", imports: [...BASE, "oci"], packages: [] },
  { name: "registry", imports: [...BASE, "oci", "content"], packages: ["smol-toml"] },
  { name: "archive", imports: [...BASE, "oci", "bundle", "tar", "compress", "content"], packages: [] },
  { name: "transform", imports: [...BASE, "oci", "compress", "content"], packages: ["tar-stream"] },
  { name: "copy", imports: [...BASE, "oci", "content"], packages: [] },
  { name: "serve", imports: [...BASE, "oci", "content"], packages: [] },
  {
    name: "verbs",
    imports: [...BASE, "oci", "bundle", "compress", "content", "registry", "archive", "transform", "copy", "serve"],
    packages: [],
  },
  { name: "index.ts", imports: ["errors.ts", "oci", "bundle", "content", "serve", "verbs"], packages: [] },
  // Types of the library statically from index.ts, its code by `await import` of one verb inside a handler.
  {
    name: "cli",
    imports: [
      "index.ts",
      "verbs",
      "serve/server.ts",
      "errors.ts",
      "util/cache/cache-folder.ts",
      "util/error-code.ts",
      "util/format.ts",
      "util/input-file.ts",
      "util/options/option-limits.ts",
      "util/output-checks.ts",
      "util/replace-file.ts",
      "util/system-fault.ts",
      "util/version.ts",
    ],
    packages: ["yargs"],
  },
  { name: "launch", imports: BASE, packages: [] },
  { name: "program.ts", imports: ["launch", "cli/main.ts"], packages: [] },
  { name: "bin.ts", imports: ["launch/answer-version.ts", "program.ts"], packages: [] },
];

export const MAX_LINES = 250;
export const MAX_FILES = 20;

/**
 * The rooms of a floor: which may import which of the same floor, besides themselves. A room is a folder without its
 * sub-folders, or one file of a folder that others of the folder build on; a file belongs to the longest name that fits.
 */
export const ROOMS: Readonly<Record<string, readonly string[]>> = {
  "util/cache": [],
  "util/json": ["util"],
  "util/lazy": [],
  "util/lock": ["util"],
  "util/net": [],
  "util/options": ["util"],
  "oci/legacy": ["oci"],
  "oci/names": ["oci"],
  "oci/referrers": ["oci"],
  "oci/signatures": ["oci"],
  "oci/schema1": ["oci", "oci/legacy"],

  "bundle/lock": [],
  "bundle/list": [],
  "bundle/list/yaml": ["bundle/list"],

  "compress/byte-reader.ts": ["compress/compressed-data.ts"],
  "compress/compressed-data.ts": [],
  "compress/decode-units.ts": ["compress/byte-reader.ts", "compress/compressed-data.ts"],
  "compress/gzip/deflate/assembly": [],
  "compress/gzip/deflate": [],
  "compress/gzip": ["compress/compressed-data.ts", "compress/gzip/deflate"],
  "compress/zstd": ["compress/byte-reader.ts", "compress/compressed-data.ts", "compress/decode-units.ts"],
  "compress/xz": ["compress/byte-reader.ts", "compress/compressed-data.ts", "compress/decode-units.ts"],
  "compress/bzip2": ["compress/byte-reader.ts", "compress/compressed-data.ts", "compress/decode-units.ts"],
  compress: ["compress/gzip", "compress/zstd", "compress/xz", "compress/bzip2"],

  "content/contracts.ts": [],
  "content/chunks": ["content/contracts.ts"],
  content: ["content/contracts.ts", "content/chunks"],

  "registry/origin": [],
  "registry/http": ["registry/origin"],
  "registry/transport": ["registry/origin", "registry/http"],
  "registry/credentials": ["registry/http"],
  "registry/auth": ["registry/origin", "registry/http", "registry/transport", "registry/credentials"],
  "registry/client": [
    "registry/origin",
    "registry/http",
    "registry/transport",
    "registry/credentials",
    "registry/auth",
  ],
  "registry/mirrors": [],
  "registry/api": ["registry/origin", "registry/http", "registry/transport", "registry/auth", "registry/client"],
  "registry/download": ["registry/origin", "registry/http", "registry/transport", "registry/client"],
  "registry/upload": ["registry/origin", "registry/http", "registry/transport", "registry/client", "registry/api"],
  "registry/referrers": ["registry/http", "registry/client", "registry/api"],
  "registry/manifests": ["registry/http", "registry/client", "registry/api"],
  // The legacy protocol: nothing else in the registry floor imports it.
  "registry/v1": [
    "registry/origin",
    "registry/http",
    "registry/transport",
    "registry/credentials",
    "registry/auth",
    "registry/client",
  ],
  "registry/v1/store": ["registry/http", "registry/transport", "registry/client", "registry/v1"],
  "registry/v1/writing": ["registry/v1"],
  registry: [
    "registry/client",
    "registry/api",
    "registry/download",
    "registry/manifests",
    "registry/upload",
    "registry/referrers",
  ],

  "archive/archive.ts": [],
  "archive/blob-name.ts": [],
  "archive/lock": ["archive/archive.ts"],
  "archive/open": ["archive/archive.ts"],
  "archive/read": ["archive/archive.ts", "archive/blob-name.ts", "archive/open"],
  "archive/referrers": ["archive/lock", "archive/read"],
  "archive/write": ["archive/blob-name.ts", "archive/lock", "archive/referrers"],
  archive: ["archive/archive.ts", "archive/lock", "archive/open", "archive/read", "archive/referrers"],

  "serve/refusal.ts": [],
  "serve/folder": [],
  "serve/connections": [],
  "serve/uploads": ["serve/refusal.ts", "serve/folder"],
  serve: ["serve/refusal.ts", "serve/folder", "serve/connections", "serve/uploads"],

  "verbs/options": [],
  "verbs/locking": ["verbs/options"],
  "verbs/files": [],
  "verbs/written": ["verbs/referrers"],
  "verbs/referrers": ["verbs/options"],
  "verbs/shared": ["verbs/options", "verbs/locking", "verbs/referrers", "verbs/written"],
  "verbs/requested": ["verbs/locking", "verbs/options", "verbs/shared"],
  "verbs/lock": ["verbs/locking", "verbs/options", "verbs/referrers", "verbs/requested", "verbs/shared"],
  "verbs/verifying": [],
  "verbs/verify.ts": ["verbs/verifying", "verbs/options", "verbs/shared", "verbs/referrers"],
  "verbs/query": ["verbs/files", "verbs/options", "verbs/requested", "verbs/shared", "verbs/referrers"],
  "verbs/push/push-options.ts": ["verbs/options", "verbs/referrers", "verbs/shared"],
  "verbs/push": ["verbs/push/push-options.ts", "verbs/options", "verbs/shared", "verbs/referrers", "verbs/v1/writing"],
  "verbs/import": ["verbs/options", "verbs/shared"],
  "verbs/convert": ["verbs/locking", "verbs/options", "verbs/shared", "verbs/referrers"],
  "verbs/copy/copy-options.ts": ["verbs/options", "verbs/referrers", "verbs/shared", "verbs/v1/report"],
  "verbs/copy": [
    "verbs/copy/copy-options.ts",
    "verbs/options",
    "verbs/requested",
    "verbs/shared",
    "verbs/referrers",
    "verbs/v1/rescue",
  ],
  "verbs/doctor": ["verbs/options", "verbs/shared", "verbs/verify.ts"],
  "verbs/v1": [
    "verbs/files",
    "verbs/locking",
    "verbs/options",
    "verbs/referrers",
    "verbs/requested",
    "verbs/shared",
    "verbs/written",
  ],
  "verbs/v1/reading": [],
  "verbs/v1/report": [],
  "verbs/v1/rescue": [
    "verbs/copy/copy-options.ts",
    "verbs/options",
    "verbs/referrers",
    "verbs/requested",
    "verbs/shared",
    "verbs/v1",
    "verbs/v1/reading",
    "verbs/v1/report",
  ],
  "verbs/v1/writing": ["verbs/push/push-options.ts", "verbs/options", "verbs/shared"],
  verbs: [
    "verbs/files",
    "verbs/locking",
    "verbs/options",
    "verbs/requested",
    "verbs/shared",
    "verbs/copy",
    "verbs/referrers",
  ],

  "cli/context.ts": [],
  "cli/prompt.ts": [],
  "cli/flags/output-flags.ts": [],
  "cli/output": ["cli/context.ts", "cli/flags/output-flags.ts"],
  "cli/flags": ["cli/context.ts", "cli/flags/output-flags.ts", "cli/output"],
  "cli/completion": ["cli/context.ts"],
  "cli/commands": ["cli/context.ts", "cli/prompt.ts", "cli/flags/output-flags.ts", "cli/flags", "cli/output"],
  "cli/commands/query": ["cli/context.ts", "cli/flags", "cli/output"],
  "cli/check-values.ts": [],
  "cli/load-command.ts": ["cli/context.ts", "cli/commands", "cli/commands/query", "cli/completion"],
  "cli/words": ["cli/context.ts", "cli/check-values.ts", "cli/load-command.ts", "cli/completion", "cli/output"],
  cli: ["cli/context.ts", "cli/check-values.ts", "cli/load-command.ts", "cli/output", "cli/words"],
};
