import { ArchiveError } from "../errors.ts";
import { DOCKER_MANIFEST_FILE } from "../oci/docker-manifest.ts";
import { INDEX_FILE, LAYOUT_FILE } from "../oci/layout.ts";
import { quote } from "../util/format.ts";
import type { Archive } from "./archive.ts";

/** Names at the top of a root filesystem; two of them are no accident. */
const ROOT_FOLDERS: ReadonlySet<string> = new Set(["bin", "etc", "lib", "opt", "root", "sbin", "usr", "var"]);
const METADATA: ReadonlySet<string> = new Set([LAYOUT_FILE, INDEX_FILE, DOCKER_MANIFEST_FILE]);
/** Further down, such a file belongs to something else. */
const MAX_FOLDERS = 3;
const TAR_NAME = /\.(?:tar|tgz|tar\.[a-z0-9]+)$/i;
/** Docker's layers: a tar that is cut before its manifest.json has only those. */
const LAYER_NAME = /^(?:.*\/)?layer\.tar$|^[0-9a-f]{64}\.tar/;

/** An archive without the files that describe images. Its names show what else it may be. */
export function noMetadata(archive: Archive): ArchiveError {
  const { found, expected = `${DOCKER_MANIFEST_FILE} or an OCI layout`, hint } = guess(archive);
  return new ArchiveError("no-metadata", `Cannot read ${archive.what}: ${found}, expected ${expected}`, { hint });
}

interface Guess {
  readonly found: string;
  readonly expected?: string;
  readonly hint: string;
}

function guess({ entries, isFolder }: Archive): Guess {
  const roots = new Set<string>();
  let inner: string | undefined;
  let tar: string | undefined;
  for (const [name, { type }] of entries) {
    const parts = name.split("/");
    const [top = "", ...below] = parts;
    if (ROOT_FOLDERS.has(top)) roots.add(top);
    const isInFolder = below.length > 0 && below.length <= MAX_FOLDERS;
    if (isInFolder && METADATA.has(parts.at(-1) ?? "")) inner ??= name;
    if (type === "file" && TAR_NAME.test(name) && !LAYER_NAME.test(name)) tar ??= name;
  }
  if (roots.size > 1) {
    return {
      found: `it looks like a root filesystem (${[...roots].sort().join(", ")})`,
      hint: '"docker export" writes such a tar. Make an image of it with "imgpack import".',
    };
  }
  if (inner !== undefined) {
    return {
      found: `${quote(inner)} is in a folder`,
      expected: "it at the top",
      hint:
        isFolder === true ? "Name that folder." : "Unpack the file, and name that folder: imgpack reads folders, too.",
    };
  }
  if (tar !== undefined) {
    return {
      found: `it contains another archive, ${quote(tar)}`,
      hint: isFolder === true ? "Name that archive." : "Unpack the file, and name the archive that is in it.",
    };
  }
  if (entries.size === 0 && isFolder === true) return { found: "nothing in it", hint: "Check the path of the folder." };
  return {
    found: `no ${DOCKER_MANIFEST_FILE} among ${entries.size} ${entries.size === 1 ? "entry" : "entries"}`,
    hint: "A cut archive looks like this, and so does a tar of other files: check how it was made.",
  };
}
