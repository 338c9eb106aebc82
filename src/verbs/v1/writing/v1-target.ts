import { UsageError } from "../../../errors.ts";
import { formatV1Reference, parseV1Reference } from "../../../oci/legacy/v1-reference.ts";
import type { V1Repository } from "../../../registry/v1/v1-store.ts";
import { quote } from "../../../util/format.ts";

/** A repository of a v1 registry that is changed. */
export interface V1Target {
  /** `host[:port]` */
  readonly host: string;
  readonly repository: V1Repository;
  readonly tag?: string;
}

/** @param verb as in "Cannot push to …". @throws BadReferenceError; UsageError for a folder, wildcards, or no repository. */
export function parseV1Target(verb: string, text: string): V1Target {
  const { store, namespace, name, glob, tag } = parseV1Reference(text);
  const found =
    store.kind === "folder"
      ? "a folder"
      : glob !== undefined || /[*?]/.test(tag ?? "")
        ? "wildcards"
        : namespace === undefined || name === undefined
          ? "no repository"
          : undefined;
  if (found === undefined && store.kind === "registry" && namespace !== undefined && name !== undefined)
    return { host: store.host, repository: { namespace, name }, ...(tag === undefined ? {} : { tag }) };
  throw new UsageError(`Cannot ${verb} ${quote(text)}: found ${found}, expected v1://HOST/NAMESPACE/REPOSITORY[:TAG]`, {
    hint: store.kind === "folder" ? "The storage of a registry is only read." : undefined,
  });
}

/** `v1://HOST/NAMESPACE/REPOSITORY[:TAG]` */
export function formatV1Target({ host, repository, tag }: V1Target): string {
  return formatV1Reference({ store: { kind: "registry", host }, ...repository, ...(tag === undefined ? {} : { tag }) });
}
