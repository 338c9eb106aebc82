import { BadReferenceError } from "../errors.ts";
import { isDigest } from "./digest.ts";
import { formatReference, fullImageName, parseReference, resolveDockerHub } from "./reference.ts";

/** The names that an archive gives an image. They are proposals: writers put anything there. */
export interface ArchiveNames {
  /** Full names with a tag or a digest, such as `docker.io/library/hello:latest` for `hello` in the archive. */
  readonly names: readonly string[];
  /** What no registry takes as a name, as found: `<none>:<none>`, upper case, `+` in a tag. */
  readonly badNames: readonly string[];
}

/**
 * Sorts the names of one image into those that are names and the others, each once. A digest next to a tag is left out:
 * what has a manifest at all says so elsewhere.
 */
export function archiveNames(texts: readonly string[]): ArchiveNames {
  return sortNames(texts, archiveName);
}

/** As `archiveNames`, of an image whose manifest is known: a digest next to a tag stays. */
export function manifestNames(texts: readonly string[]): ArchiveNames {
  return sortNames(texts, fullImageName);
}

const NONE: readonly string[] = [];

function sortNames(texts: readonly string[], spell: (text: string) => string): ArchiveNames {
  const [only] = texts;
  if (only !== undefined && texts.length === 1) {
    const name = readName(only, spell);
    return name === undefined ? { names: NONE, badNames: [only] } : { names: [name], badNames: NONE };
  }
  const names = new Set<string>();
  const badNames = new Set<string>();
  for (const text of texts) {
    const name = readName(text, spell);
    if (name === undefined) badNames.add(text);
    else names.add(name);
  }
  return { names: [...names], badNames: [...badNames] };
}

/** All names of several entries that are one image. */
export function uniteNames(parts: readonly ArchiveNames[]): ArchiveNames {
  return {
    names: [...new Set(parts.flatMap(({ names }) => names))],
    badNames: [...new Set(parts.flatMap(({ badNames }) => badNames))],
  };
}

/** A digest alone stays, and no tag is added. @throws BadReferenceError */
function archiveName(text: string): string {
  const { digest, ...named } = parseReference(text);
  const isPinned = digest !== undefined && named.tag === undefined;
  return formatReference(resolveDockerHub(isPinned ? { ...named, digest } : named));
}

/** True for a name without a tag, such as `app` or `app@sha256:…`; false for bad names. */
export function isUntaggedName(text: string): boolean {
  return readName(text, name => parseReference(name).tag ?? "") === "" && readName(text, archiveName) !== undefined;
}

function readName(text: string, spell: (text: string) => string): string | undefined {
  // containerd gives each image a second name that is only the digest of its config.
  if (isDigest(text)) return undefined;
  try {
    return spell(text);
  } catch (error) {
    if (error instanceof BadReferenceError) return undefined;
    throw error;
  }
}

/** True for a full name of a registry at an IPv6 address, which many loaders refuse. */
export function hasIPv6Registry(name: string): boolean {
  return name.startsWith("[");
}
