import type { ImageConfig } from "../../../../oci/image-config.ts";
import { compareText } from "../../../../oci/semver.ts";

/** A value of a configuration that two images have in two forms, or that one of them has. Foreign text. */
export interface ConfigDifference {
  readonly name: string;
  readonly a: string | undefined;
  readonly b: string | undefined;
}

export interface ComparedConfigs {
  readonly differences: readonly ConfigDifference[];
  /** Values that both have in the same form. */
  readonly same: number;
}

/** @param a, b undefined for an image whose config cannot be read */
export function compareConfigs(a: ImageConfig | undefined, b: ImageConfig | undefined): ComparedConfigs {
  const [own, other] = [valuesOf(a), valuesOf(b)];
  const names = [...new Set([...own.keys(), ...other.keys()])];
  const rows = names.map(name => ({ name, a: own.get(name), b: other.get(name) }));
  const differences = rows.filter(row => row.a !== row.b);
  return { differences, same: rows.length - differences.length };
}

/** In the order of the page: how it starts, then environment, then labels. */
function valuesOf(config: ImageConfig | undefined): ReadonlyMap<string, string> {
  if (config === undefined) return new Map();
  const { entrypoint, cmd, user, workingDir, exposedPorts, volumes, env, labels } = config.runtime;
  const listed = (words: readonly string[]): string | undefined =>
    words.length === 0 ? undefined : JSON.stringify(words);
  const single: readonly (readonly [string, string | undefined])[] = [
    ["Entrypoint", listed(entrypoint)],
    ["Command", listed(cmd)],
    ["User", user],
    ["Working folder", workingDir],
    ["Ports", listed(exposedPorts)],
    ["Volumes", listed(volumes)],
    ["Author", config.author],
    ["Created", config.created],
  ];
  const variables = env.map(variable => {
    const [, name = variable, value = ""] = /^([^=]*)=(.*)$/s.exec(variable) ?? [];
    return [`ENV ${name}`, value] as const;
  });
  const labelled = Object.entries(labels).map(([name, value]) => [`Label ${name}`, value] as const);
  return new Map([
    ...single.flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const])),
    ...variables.sort(byName),
    ...labelled.sort(byName),
  ]);
}

function byName([left]: readonly [string, string], [right]: readonly [string, string]): number {
  return compareText(left, right);
}
