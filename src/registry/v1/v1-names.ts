import { UsageError } from "../../errors.ts";
import { V1_FOLDER } from "../../oci/legacy/has-v1.ts";
import { isTag } from "../../oci/reference.ts";
import { quote } from "../../util/format.ts";
import type { V1Repository, V1Store } from "./v1-store.ts";

const MAX_NAME = 255;

/** 64 hex digits; docker-registry also takes 16. */
export function isLayerId(text: string): boolean {
  return /^(?:[0-9a-f]{64}|[0-9a-f]{16})$/.test(text);
}

/** A part of a repository's name. Upper case is legal. */
export function isV1Name(text: string): boolean {
  return text.length <= MAX_NAME && /^[A-Za-z0-9_.-]+$/.test(text) && text !== "." && text !== "..";
}

/** As messages and results name it: `v1://HOST/NAMESPACE/REPOSITORY`, or `v1+dir:FOLDER//NAMESPACE/REPOSITORY`. */
export function v1RepositoryName({ name: store }: Pick<V1Store, "name">, { namespace, name }: V1Repository): string {
  return `${store}${store.startsWith(V1_FOLDER) ? "//" : "/"}${namespace}/${name}`;
}

/** @throws UsageError for what must not become part of a request. */
export function checkedRepository({ namespace, name }: V1Repository): string {
  if (isV1Name(namespace) && isV1Name(name)) return `${namespace}/${name}`;
  throw new UsageError(
    `Cannot use repository ${quote(`${namespace}/${name}`)}: found other characters, expected [A-Za-z0-9_.-] in both parts`,
    { hint: "A repository of the v1 protocol has one namespace and one name." },
  );
}

/** @throws UsageError */
export function checkedTag(tag: string): string {
  if (isTag(tag)) return tag;
  throw new UsageError(`Cannot use tag ${quote(tag)}: found other characters, expected 1 to 128 of [A-Za-z0-9_.-]`);
}

/** @throws UsageError */
export function checkedId(id: string): string {
  if (isLayerId(id)) return id;
  throw new UsageError(`Cannot use layer id ${quote(id)}: found other characters, expected 64 hex digits`);
}
