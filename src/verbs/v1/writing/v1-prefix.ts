import { UsageError } from "../../../errors.ts";
import { parseV1Reference } from "../../../oci/legacy/v1-reference.ts";
import { quote } from "../../../util/format.ts";
import type { V1Target } from "./v1-target.ts";

/** A v1 registry, perhaps with a namespace, that several images go to. */
export interface V1Prefix {
  /** `v1://HOST[/NAMESPACE]`, as it was written. */
  readonly text: string;
  readonly verb: "push" | "copy";
  /** `host[:port]` */
  readonly host: string;
  readonly namespace?: string;
}

/** `v1://HOST[/NAMESPACE]`: one part after the host is a namespace here, and not a repository. @throws UsageError */
export function parseV1Prefix(verb: "push" | "copy", to: string): V1Prefix {
  const { store, namespace, name, glob, tag } = parseV1Reference(to);
  if (store.kind === "folder") {
    throw new UsageError(`Cannot ${verb} to ${quote(to)}: found a folder, expected v1://HOST[/NAMESPACE]`, {
      hint: "The storage of a registry is only read.",
    });
  }
  const common = { text: to, verb, host: store.host };
  const isNamespace = namespace === "library" && to.replace(/\/+$/, "").slice("v1://".length).split("/").length === 2;
  if (name === undefined && glob === undefined) return common;
  if (name !== undefined && tag === undefined && isNamespace) return { ...common, namespace: name };
  const one = "v1://HOST/NAMESPACE/REPOSITORY:TAG";
  throw new UsageError(`Cannot ${verb} to ${quote(to)}: found more than a namespace, expected v1://HOST[/NAMESPACE]`, {
    hint:
      verb === "push"
        ? `To name one image, use --tag ${one}.`
        : `To name one image, leave out --to: copy SOURCE ${one}.`,
  });
}

/**
 * @param path repository below the prefix, of any number of parts.
 * @param name of the image, for messages.
 * @throws UsageError for more parts than v1 has.
 */
export function v1TargetBelow(
  { text, verb, host, namespace }: V1Prefix,
  path: string,
  name: string,
): Omit<V1Target, "tag"> {
  const parts = [...(namespace === undefined ? [] : [namespace]), ...path.split("/")];
  const [first = "", second, ...more] = parts;
  if (more.length > 0) {
    throw new UsageError(
      `Cannot ${verb} ${quote(name)} to ${quote(text)}: found repository ${quote(parts.join("/"))}, expected one or two parts`,
      {
        hint: "Repositories of v1 have a namespace and a name. Write --layout flat, or choose another path with --map.",
      },
    );
  }
  return {
    host,
    repository: second === undefined ? { namespace: "library", name: first } : { namespace: first, name: second },
  };
}
