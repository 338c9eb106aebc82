import type { FoundReferences } from "./found-references.ts";
import { interpolate } from "./interpolate.ts";
import { fieldOf, textOf, type YamlNode, type YamlText } from "./yaml-node.ts";

const RENDER = 'expected one file, as "docker compose config" writes it';

export function isCompose(root: YamlNode): boolean {
  return fieldOf(root, "services")?.kind === "map" && fieldOf(root, "apiVersion") === undefined;
}

/**
 * Images of the services of a compose file, whatever their profiles. What a service builds is none, unless it has a name:
 * then it is likely, because it may be built and not pulled.
 */
export function findInCompose(root: YamlNode, variables: ReadonlyMap<string, string>, found: FoundReferences): void {
  const include = fieldOf(root, "include");
  if (include !== undefined) found.refuse(include.line, "include", `found other files that are included, ${RENDER}`);
  const services = fieldOf(root, "services");
  if (services?.kind !== "map") return;
  const take = (node: YamlNode, isBuilt: boolean, platform: YamlNode | undefined, service?: string): void => {
    const text = withVariables(node, variables, found);
    if (text === undefined || node.kind !== "text") return;
    const of = service === undefined ? {} : { service };
    if (isBuilt) {
      found.likely(text, node.line, of);
      return;
    }
    const os = textOf(platform) === undefined ? undefined : withVariables(platform, variables, found);
    found.certainText(text, node.line, os === undefined ? of : { ...of, platforms: [os] });
  };
  // Aliases make many of one.
  const seen = new Set<YamlNode>();
  for (const [name, service] of services.entries) {
    if (name.text === "<<" || service.kind !== "map" || seen.has(service)) continue;
    seen.add(service);
    const file = fieldOf(fieldOf(service, "extends"), "file");
    if (file !== undefined) found.refuse(file.line, textOf(file) ?? "", `found a service of another file, ${RENDER}`);
    const image = fieldOf(service, "image");
    const isBuilt = fieldOf(service, "build") !== undefined;
    if (image !== undefined) take(image, isBuilt, fieldOf(service, "platform"), name.text);
    const volumes = fieldOf(service, "volumes");
    if (volumes?.kind !== "list" || seen.has(volumes)) continue;
    seen.add(volumes);
    for (const volume of volumes.items) {
      const source = fieldOf(volume, "source");
      if (textOf(fieldOf(volume, "type")) === "image" && source !== undefined) take(source, false, undefined);
    }
  }
}

/** Undefined for what was refused. */
function withVariables(
  node: YamlNode | undefined,
  variables: ReadonlyMap<string, string>,
  found: FoundReferences,
): string | undefined {
  if (node === undefined) return undefined;
  if (node.kind !== "text") {
    found.certain(node);
    return undefined;
  }
  return replaced(node, variables, found);
}

function replaced(node: YamlText, variables: ReadonlyMap<string, string>, found: FoundReferences): string | undefined {
  const result = interpolate(node.text, variables);
  if ("why" in result) {
    found.refuse(node.line, node.text, result.why);
    return undefined;
  }
  const [unset] = result.unset;
  // An empty variable leaves "nginx:", or nothing.
  if (unset === undefined || !/(?:^|[:@/])(?:$|[:@/])/.test(result.text)) return result.text;
  found.refuse(
    node.line,
    node.text,
    `found the variable ${unset} without a value, expected one in the environment or in .env`,
  );
  return undefined;
}
