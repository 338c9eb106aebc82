import { BadReferenceError, UsageError } from "../../errors.ts";
import { quote } from "../../util/format.ts";
import { isTag } from "../reference.ts";
import { readRegistryName } from "../registry-name.ts";
import { V1_FOLDER, V1_REGISTRY } from "./has-v1.ts";

/** `v1://HOST[:PORT][/[NAMESPACE/]REPOSITORY[:TAG]]`, or `v1+dir:FOLDER[//[NAMESPACE/]REPOSITORY[:TAG]]`. */
export interface V1Reference {
  /** Where the image is. */
  readonly store: V1StoreName;
  /** "library" if the text has none; absent where the text names a whole store, or has wildcards in its repository. */
  readonly namespace?: string;
  /** Upper case is legal. Absent as `namespace`. */
  readonly name?: string;
  /** `NAMESPACE/REPOSITORY` with wildcards, in place of the two. */
  readonly glob?: string;
  /** Absent if the text has none: latest for one image, all for a glob. May have wildcards. */
  readonly tag?: string;
}

export type V1StoreName =
  | { readonly kind: "registry"; readonly host: string }
  | { readonly kind: "folder"; readonly path: string };

const DEFAULT_NAMESPACE = "library";
const MAX_LENGTH = 4096;
const MAX_PART = 255;
/** Of docker-registry, which checks the repository; namespaces were narrower at the Hub, and wider elsewhere. */
const PART = /^[A-Za-z0-9_.-]+$/;
const FORM_HINT = "Write it as v1://HOST/namespace/repository:tag, or v1+dir:FOLDER//namespace/repository:tag.";

/**
 * Reads a reference of the v1 protocol. `*`, `**` and `?` may be in its repository and its tag.
 *
 * @throws BadReferenceError; UsageError for a digest, which v1 does not have.
 */
export function parseV1Reference(text: string): V1Reference {
  if (text.length > MAX_LENGTH) throw bad(text, `${text.length} characters`, `at most ${MAX_LENGTH}`);
  if (text.startsWith(V1_FOLDER)) return parseFolder(text, text.slice(V1_FOLDER.length));
  if (!text.startsWith(V1_REGISTRY)) throw bad(text, "another scheme", "v1:// or v1+dir:");
  const rest = text.slice(V1_REGISTRY.length);
  const slash = rest.indexOf("/");
  const host = slash === -1 ? rest : rest.slice(0, slash);
  if (host.includes("@") && !hasDigest(text)) {
    throw new BadReferenceError("Cannot read v1 reference: found user information, expected a host", {
      hint: 'Give user name and password to "imgpack login", or with --username.',
    });
  }
  const registry = readRegistryName(host.includes("@") ? host.slice(0, host.indexOf("@")) : host);
  if (!("name" in registry)) throw bad(text, registry.found, registry.expected, registry.hint);
  const store = { kind: "registry", host: registry.name } as const;
  refuseDigest(text);
  // "v1://HOST/" is what a browser makes of "v1://HOST".
  return slash === -1 || slash === rest.length - 1 ? { store } : { store, ...parseName(text, rest.slice(slash + 1)) };
}

function parseFolder(text: string, rest: string): V1Reference {
  if (rest.startsWith("//")) throw bad(text, '"//" before the folder', "the folder itself, as in v1+dir:/srv/registry");
  const end = rest.lastIndexOf("//");
  const path = end === -1 ? rest : rest.slice(0, end);
  if (path === "" || path.includes("\0")) throw bad(text, "no folder", "one after v1+dir:");
  const store = { kind: "folder", path } as const;
  if (end === -1 || end === rest.length - 2) return { store };
  refuseDigest(text);
  return { store, ...parseName(text, rest.slice(end + 2)) };
}

function parseName(text: string, name: string): Omit<V1Reference, "store"> {
  const colon = name.indexOf(":");
  const repository = colon === -1 ? name : name.slice(0, colon);
  const tag = colon === -1 ? undefined : name.slice(colon + 1);
  const parts = repository.split("/");
  for (const part of parts) checkPart(text, part);
  if (tag !== undefined && !isTag(withoutWildcards(tag)))
    throw bad(text, "a bad tag", '1 to 128 of [A-Za-z0-9._-], not starting with "." or "-"');
  const tagged = tag === undefined ? {} : { tag };
  const isWide = hasWildcard(repository);
  if (isWide && (parts.length > 1 || repository.includes("**"))) return { glob: repository, ...tagged };
  const [namespace, own, ...others] = parts.length === 1 ? [DEFAULT_NAMESPACE, ...parts] : parts;
  if (namespace === undefined || own === undefined || others.length > 0)
    throw bad(text, `${parts.length} parts in the repository`, "one or two");
  return isWide ? { glob: `${namespace}/${own}`, ...tagged } : { namespace, name: own, ...tagged };
}

function checkPart(text: string, part: string): void {
  if (part === "") throw bad(text, "an empty part", "a name");
  if (part === "." || part === "..") throw bad(text, `the part ${quote(part)}`, "a name");
  if (part.length > MAX_PART) throw bad(text, `a part of ${part.length} characters`, `at most ${MAX_PART}`);
  if (!PART.test(withoutWildcards(part)))
    throw bad(text, "a bad repository", 'letters, digits, ".", "_" and hyphens, upper case too');
}

/** The inverse of `parseV1Reference`; writes the namespace always. */
export function formatV1Reference({ store, namespace, name, glob, tag }: V1Reference): string {
  const repository = glob ?? (name === undefined ? undefined : `${namespace ?? DEFAULT_NAMESPACE}/${name}`);
  const where = formatV1Store(store);
  if (repository === undefined) return where;
  return `${where}${store.kind === "folder" ? "//" : "/"}${repository}${tag === undefined ? "" : `:${tag}`}`;
}

/** As messages name it. */
export function formatV1Store(store: V1StoreName): string {
  return store.kind === "folder" ? `${V1_FOLDER}${store.path}` : `${V1_REGISTRY}${store.host}`;
}

function refuseDigest(text: string): void {
  if (!text.includes("@")) return;
  if (!hasDigest(text)) throw bad(text, '"@"', "a tag at most");
  throw new UsageError(`Cannot use ${quote(text)}: found a digest, expected a tag or none`, {
    hint: "The v1 protocol has no digests. Name a tag; once copied to another registry, the image has a digest.",
  });
}

function hasDigest(text: string): boolean {
  const end = text.slice(text.indexOf("@") + 1);
  return /^sha(?:256|512):/.test(end);
}

/** Whether it names one image: without a tag, the latest. */
export function isOneImage({ glob, name, tag = "" }: V1Reference): boolean {
  return glob === undefined && name !== undefined && !hasWildcard(tag);
}

function hasWildcard(text: string): boolean {
  return text.includes("*") || text.includes("?");
}

function withoutWildcards(text: string): string {
  return text.replaceAll("**", "a").replaceAll(/[*?]/g, "a");
}

function bad(text: string, found: string, expected: string, hint: string = FORM_HINT): BadReferenceError {
  return new BadReferenceError(`Cannot read v1 reference ${quote(text)}: found ${found}, expected ${expected}`, {
    hint,
  });
}
