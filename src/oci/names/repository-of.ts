import { formatReference, parseReference } from "../reference.ts";

/** `registry/repository` of a full name. */
export function repositoryOf(name: string): string {
  const { tag: _tag, digest: _digest, ...repository } = parseReference(name);
  return formatReference(repository);
}
