import { BadReferenceError } from "../errors.ts";
import { quote } from "../util/format.ts";
import { type Digest, isDigest } from "./digest.ts";
import { readRegistryName } from "./registry-name.ts";

/** `[registry/]repository[:tag][@digest]`; with both a tag and a digest, the digest decides. */
export interface Reference {
  /** `host[:port]` in lower case; absent if the text has none. */
  readonly registry?: string;
  readonly repository: string;
  readonly tag?: string;
  readonly digest?: Digest;
}

const MAX_BYTES = 1024;
const MAX_REPOSITORY = 255;
const MAX_TAG = 128;
const DOCKER_HUB = "docker.io";
const FORM_HINT = "Write it as registry/repository:tag, for example registry.lan:5000/team/app:1.4.";

/**
 * Reads a reference by the grammar of the distribution specification ("Pulling manifests"). The first part is a registry
 * if it contains "." or ":", is "localhost" or starts with "[".
 *
 * @throws BadReferenceError; its hint explains how to write the reference.
 */
export function parseReference(text: string): Reference {
  const known = parsed.get(text);
  if (known !== undefined) return known;
  const reference = readReference(text);
  if (parsed.size >= MAX_PARSED) parsed.clear();
  parsed.set(text, reference);
  return reference;
}

/** An archive of many images compares their names many times. */
const parsed = new Map<string, Reference>();
/** Some megabytes. */
const MAX_PARSED = 16 * 1024;

function readReference(text: string): Reference {
  checkCharacters(text);
  const at = text.indexOf("@");
  const name = at === -1 ? text : text.slice(0, at);
  const digest = at === -1 ? undefined : readDigest(text, text.slice(at + 1));
  const slash = name.indexOf("/");
  const first = slash === -1 ? "" : name.slice(0, slash);
  const registry = isRegistryPart(first) ? readRegistry(text, first) : undefined;
  const path = registry === undefined ? name : name.slice(slash + 1);
  const colon = path.indexOf(":");
  const repository = colon === -1 ? path : path.slice(0, colon);
  if (!isRepository(repository)) throw badRepository(text, repository);
  const tag = colon === -1 ? undefined : path.slice(colon + 1);
  if (tag !== undefined && !isTag(tag)) {
    throw bad(text, "a bad tag", `1 to ${MAX_TAG} of [A-Za-z0-9._-], not starting with "." or "-"`, FORM_HINT);
  }
  return {
    ...(registry === undefined ? {} : { registry }),
    repository,
    ...(tag === undefined ? {} : { tag }),
    ...(digest === undefined ? {} : { digest }),
  };
}

/** The inverse of `parseReference`. */
export function formatReference({ registry, repository, tag, digest }: Reference): string {
  const name = registry === undefined ? repository : `${registry}/${repository}`;
  return `${name}${tag === undefined ? "" : `:${tag}`}${digest === undefined ? "" : `@${digest}`}`;
}

/**
 * Completes a short name as Docker does: the default registry is docker.io, a repository of one part there belongs to
 * `library/`, and the default tag is latest.
 */
export function resolveDockerHub(reference: Reference): Reference & { readonly registry: string } {
  const { tag, digest } = reference;
  const registry = isDockerHub(reference.registry) ? DOCKER_HUB : reference.registry;
  const short = registry === DOCKER_HUB && !reference.repository.includes("/");
  const isComplete = tag !== undefined || digest !== undefined;
  if (registry !== undefined && registry === reference.registry && !short && isComplete)
    return { ...reference, registry };
  return {
    ...reference,
    registry,
    repository: short ? `library/${reference.repository}` : reference.repository,
    ...(tag === undefined && digest === undefined ? { tag: "latest" } : {}),
  };
}

/**
 * `hello` → `docker.io/library/hello:latest`. Names in archives are compared in this spelling.
 *
 * @throws BadReferenceError
 */
export function fullImageName(text: string): string {
  return formatReference(resolveDockerHub(parseReference(text)));
}

/** The short name that Docker shows: `docker.io/library/hello:1` → `hello:1`; other registries stay as they are. */
export function familiarName(reference: Reference): string {
  if (!isDockerHub(reference.registry)) return formatReference(reference);
  const { registry: _, ...rest } = reference;
  const inner = rest.repository.startsWith("library/") ? rest.repository.slice("library/".length) : rest.repository;
  const repository = inner.includes("/") ? rest.repository : inner;
  const [first = ""] = repository.split("/");
  // Without its registry, "docker.io/x.y/z" would mean the registry "x.y".
  if (repository.includes("/") && isRegistryPart(first)) return formatReference(reference);
  return formatReference({ ...rest, repository });
}

/** The host of a registry's API. For Docker Hub, that is not its name. */
export function registryHost(registry: string): string {
  return isDockerHub(registry) ? "registry-1.docker.io" : registry;
}

function isDockerHub(registry: string | undefined): registry is "docker.io" | "index.docker.io" | undefined {
  return registry === undefined || registry === DOCKER_HUB || registry === "index.docker.io";
}

/** `[A-Za-z0-9_]`, then up to 127 of `[A-Za-z0-9._-]`. */
export function isTag(text: string): boolean {
  if (text === "" || text.length > MAX_TAG || text.startsWith(".") || text.startsWith("-")) return false;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    const letter = isLowerOrDigit(code) || (code >= 0x41 && code <= 0x5a);
    if (!letter && code !== UNDERSCORE && code !== DOT && code !== HYPHEN) return false;
  }
  return true;
}

const HYPHEN = 0x2d;
const DOT = 0x2e;
const UNDERSCORE = 0x5f;

/** At most 255 characters: parts joined by "/", each of lower-case letters and digits with ".", "_", "__" or hyphens inside. */
export function isRepository(text: string): boolean {
  return text.length <= MAX_REPOSITORY && text.split("/").every(isComponent);
}

function isComponent(text: string): boolean {
  let separator = "";
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (!isLowerOrDigit(code)) {
      if (code !== HYPHEN && code !== DOT && code !== UNDERSCORE) return false;
      separator += text[at];
      continue;
    }
    if (separator !== "" && (at === separator.length || !isSeparator(separator))) return false;
    separator = "";
  }
  return text !== "" && separator === "";
}

function isSeparator(text: string): boolean {
  return text === "." || text === "_" || text === "__" || text === "-".repeat(text.length);
}

function isLowerOrDigit(code: number): boolean {
  return (code >= 0x61 && code <= 0x7a) || (code >= 0x30 && code <= 0x39);
}

function isRegistryPart(first: string): boolean {
  return first.includes(".") || first.includes(":") || first === "localhost" || first.startsWith("[");
}

function checkCharacters(text: string): void {
  if (text === "") throw bad(text, "an empty name", "a name", FORM_HINT);
  if (text.length > MAX_BYTES) throw bad(text, `${text.length} characters`, `at most ${MAX_BYTES}`);
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code < 0x21 || code > 0x7e) throw bad(text, "a blank, control or non-ASCII character", "printable ASCII");
  }
  if (text.startsWith("v1://") || text.startsWith("v1+dir:")) {
    throw bad(
      text,
      "a v1 reference",
      "one of a v2 registry",
      "The v1 protocol has no digests, manifests or referrers: pull the image into an archive, and look at that.",
    );
  }
  if (text.includes("://")) {
    throw bad(text, "a URL", "a name without a scheme", `Leave out everything up to "://".`);
  }
}

function readRegistry(text: string, part: string): string {
  const registry = readRegistryName(part);
  if ("name" in registry) return registry.name;
  throw bad(text, registry.found, registry.expected, registry.hint ?? FORM_HINT);
}

function readDigest(text: string, digest: string): Digest {
  if (isDigest(digest)) return digest;
  const algorithm = digest.slice(0, Math.max(0, digest.indexOf(":")));
  if (algorithm === "sha256" || algorithm === "sha512") {
    const trailingTag = isDigest(digest.slice(0, digest.lastIndexOf(":")));
    throw bad(
      text,
      "a bad digest",
      `${algorithm}: and ${algorithm === "sha256" ? 64 : 128} lower-case hex digits`,
      trailingTag ? "The tag comes before the digest: repository:tag@digest." : "Copy the digest whole.",
    );
  }
  if (hidesUserinfo(text)) {
    throw bad(text, "user information", 'a digest after "@"', 'Give user name and password to "imgpack login".');
  }
  throw bad(text, "a digest of another algorithm", "sha256 or sha512", "Only these two can be verified.");
}

function badRepository(text: string, repository: string): BadReferenceError {
  const lower = repository.toLowerCase();
  const hint = lower !== repository && isRepository(lower) ? "Write the repository in lower case." : FORM_HINT;
  const expected = `lower-case letters and digits, separated by ".", "_", "__", hyphens or "/", at most ${MAX_REPOSITORY}`;
  return bad(text, repository === "" ? "no repository" : "a bad repository", expected, hint);
}

function bad(text: string, found: string, expected: string, hint?: string): BadReferenceError {
  const shown = hidesUserinfo(text) ? "" : ` ${quote(text)}`;
  return new BadReferenceError(`Cannot read reference${shown}: found ${found}, expected ${expected}`, { hint });
}

/** The text before such an "@" may be a password, so it is not shown. */
function hidesUserinfo(text: string): boolean {
  const at = text.indexOf("@");
  const rest = text.slice(at + 1);
  return at !== -1 && rest.includes("/") && !rest.startsWith("sha256:") && !rest.startsWith("sha512:");
}
