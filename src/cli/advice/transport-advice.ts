import { isFileName, isPath, shellWord } from "./command-template.ts";
import type { TypedLine } from "./typed-line.ts";

type Kind = "registry" | "engine" | "archive" | "folder";

/** Where an image is, as skopeo, crane and regctl write it. */
interface Located {
  readonly kind: Kind;
  /** As imgpack writes it. */
  readonly name: string;
}

const TRANSPORTS: readonly (readonly [prefix: RegExp, kind: Kind, own: string])[] = [
  [/^docker:\/\//, "registry", ""],
  [/^docker-daemon:(?:\/\/)?/, "engine", "docker://"],
  [/^containers-storage:(?:\/\/)?(?:\[[^\]]*\])?/, "engine", "podman://"],
  [/^(?:docker-archive|oci-archive|tarball):(?:\/\/)?/, "archive", ""],
  // `oci:1` is a reference.
  [/^(?:(?:ocidir|ocifile):\/\/|(?:oci|dir|layout):(?=.*[./:]))/, "folder", ""],
];

/** @param command undefined if `docker://` is not to be taken for an engine. */
export function hasTransport(words: readonly string[], command?: string): boolean {
  return words.some(word => !isEngineImage(command, word) && TRANSPORTS.some(([prefix]) => prefix.test(word)));
}

/** Commands to which docker:// is an engine: to skopeo it is a registry. */
export const ENGINE_COMMANDS: ReadonlySet<string> = new Set([
  "push",
  "convert",
  "inspect",
  "verify",
  "doctor",
  "serve",
]);
/** A reference with its registry. */
const IN_REGISTRY = /^(?:docker:\/\/)?(?:localhost|[^/]*[.:][^/]*)\//;

export function namesRegistry(word: string): boolean {
  return IN_REGISTRY.test(word) && !isPath(word);
}

function isEngineImage(command: string | undefined, word: string): boolean {
  if (command === undefined || !ENGINE_COMMANDS.has(command) || !word.startsWith("docker://")) return false;
  return command !== "inspect" || !IN_REGISTRY.test(word);
}

function locate(word: string, command: string): Located {
  if (isEngineImage(command, word)) return { kind: "engine", name: word };
  const [prefix, kind, own] = TRANSPORTS.find(([each]) => each.test(word)) ?? [];
  if (prefix === undefined || kind === undefined) {
    return { kind: isFileName(word) ? (word.endsWith("/") ? "folder" : "archive") : "registry", name: word };
  }
  const name = word.replace(prefix, "");
  // FILE[:REFERENCE]
  return { kind, name: `${own ?? ""}${kind === "archive" || kind === "folder" ? name.replace(/:.*$/s, "") : name}` };
}

/** The command line that does what one with the transports of skopeo means, or with the words of docker and crane. */
export function transportAdvice(command: string, { others, flags }: TypedLine): string | undefined {
  // Other flags belong to the line that was typed.
  if (flags.some(({ definition }) => definition === undefined || PLACES.has(definition.name))) return undefined;
  const given = others.map(word => locate(word, command));
  const line =
    moveLine(command, given, hasTransport(others, command)) ??
    (hasTransport(others, command) ? [command, ...given.map(nameOf)] : []);
  const words = line.map(shellWord);
  return words.length === 0 || words.includes(undefined) ? undefined : `Did you mean "imgpack ${words.join(" ")}"?`;
}

const PLACES: ReadonlySet<string> = new Set(["output", "tag", "to"]);
const MOVES: ReadonlySet<string> = new Set(["copy", "convert", "push", "pull"]);

/** @returns undefined for a line that may be right as it is */
function moveLine(command: string, given: readonly Located[], isForeign: boolean): readonly string[] | undefined {
  const [source, target, ...others] = given;
  if (!MOVES.has(command) || source === undefined || target === undefined || others.length > 0) return undefined;
  const [isRead, isWritten] = [source.kind === "registry", target.kind === "registry"];
  if (!isForeign && !isMixedUp(command, isRead, isWritten, target.name)) return undefined;
  const [from, to] = [nameOf(source), nameOf(target)];
  if (isRead) return isWritten ? ["copy", from, to] : ["pull", from, "--output", to];
  return isWritten ? ["push", from, "--tag", to] : ["convert", from, to];
}

/** `push FILE IMAGE`, `pull IMAGE FILE`, `copy` of a file. A push takes several archives, and a pull several images. */
function isMixedUp(command: string, isRead: boolean, isWritten: boolean, target: string): boolean {
  if (command === "push") return !isRead && isWritten && IN_REGISTRY.test(target);
  if (command === "pull") return isRead && !isWritten;
  return command === "copy" && !(isRead && isWritten);
}

function nameOf({ kind, name }: Located): string {
  return kind === "folder" ? name.replace(/\/?$/, "/") : name;
}
