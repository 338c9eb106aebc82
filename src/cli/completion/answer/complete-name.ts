import type { Candidate } from "./answer.ts";
import { isHost } from "./is-host.ts";
import type { NameSources } from "./name-sources.ts";
import type { ReadLine, Slot } from "./read-line.ts";

type ValueSlot = Extract<Slot, { kind: "value" }>;

const V1 = "v1://";

/** Names of registries, repositories and tags that continue what is typed. */
export async function completeName(
  { value: { kind }, typed }: ValueSlot,
  { command }: ReadLine,
  names: NameSources,
): Promise<readonly Candidate[]> {
  const isOld = typed.startsWith(V1) || command?.group === "Old registries";
  const scheme = isOld ? V1 : "";
  if (kind === "host") return (await names.hosts()).map(host => candidate(`${scheme}${host}`, "registry"));
  if (kind !== "reference" && kind !== "repository" && kind !== "source") return [];
  const rest = typed.startsWith(V1) ? typed.slice(V1.length) : typed;
  if (/[@*?]/.test(rest) || (kind === "source" && typed !== "" && (await names.isPath(upToSlash(typed))))) return [];
  const slash = rest.indexOf("/");
  const colon = rest.indexOf(":", rest.lastIndexOf("/") + 1);
  const hosts = slash === -1 ? await names.hosts() : [];
  const offered = hosts.map(host => candidate(`${scheme}${host}/`, "registry"));
  if (colon === -1) {
    if (isOld) return offered;
    const first = rest.slice(0, slash + 1);
    const isNamed = isHost(first.slice(0, -1));
    const [host, start] = isNamed ? [first.slice(0, -1), rest.slice(first.length)] : [undefined, rest];
    const end = kind === "repository" ? "" : ":";
    const repositories = await names.repositories(host, start);
    const before = isNamed ? first : "";
    return [...offered, ...repositories.map(name => candidate(`${before}${name}${end}`, "repository"))];
  }
  const name = rest.slice(0, colon);
  // What follows the colon may be a port.
  const isPort = slash === -1 && (isHost(name) || hosts.some(host => host.startsWith(`${name}:`)));
  if (kind === "repository" || isPort) return offered;
  const repository = `${typed.startsWith(V1) ? V1 : ""}${name}`;
  const tags = await names.tags(repository, rest.slice(colon + 1));
  return [...offered, ...tags.map(tag => candidate(`${repository}:${tag}`, "tag"))];
}

function upToSlash(path: string): string {
  return path.slice(0, path.lastIndexOf("/") + 1) || path;
}

function candidate(value: string, text: string): Candidate {
  return { value, text };
}
