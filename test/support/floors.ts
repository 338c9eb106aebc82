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
  { name: "tar", imports: BASE, packages: [] },
  { name: "compress", imports: BASE, packages: ["libdeflate"] },
  { name: "content", imports: [...BASE, "oci"], packages: [] },
  { name: "registry", imports: [...BASE, "oci", "content"], packages: [] },
  { name: "store", imports: [...BASE, "oci", "tar", "compress", "content", "registry"], packages: [] },
  { name: "transform", imports: [...BASE, "oci", "compress", "content"], packages: ["tar-stream"] },
  { name: "copy", imports: [...BASE, "oci", "content"], packages: [] },
  { name: "serve", imports: [...BASE, "oci", "content", "store"], packages: [] },
  {
    name: "verbs",
    imports: [...BASE, "oci", "compress", "content", "registry", "store", "transform", "copy", "serve"],
    packages: [],
  },
  { name: "index.ts", imports: ["errors.ts", "oci", "content", "serve", "verbs"], packages: [] },
  // Types of the library statically, its code by `await import` inside a handler.
  {
    name: "cli",
    imports: ["index.ts", "util/format.ts", "util/replace-file.ts", "util/version.ts"],
    packages: ["yargs"],
  },
  { name: "bin.ts", imports: ["cli/main.ts", "util/version.ts"], packages: [] },
];

export const MOST_LINES = 250;
