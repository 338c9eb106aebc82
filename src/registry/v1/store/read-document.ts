import { RegistryError } from "../../../errors.ts";
import { parseJson } from "../../../util/json/json.ts";
import { checkSchema, type Schema } from "../../../util/json/schema.ts";
import type { V1Answer, V1Call } from "../v1-call.ts";

const MAX_BYTES = 16 * 1024 * 1024;

/**
 * A JSON document of a v1 registry. Its content type says nothing: docker-registry 0.6 calls everything `text/html`.
 *
 * @param where as messages name it: `registry/namespace/name`, or the registry alone.
 * @throws RegistryError for another document.
 */
export function readDocument<T>(
  schema: Schema<T>,
  { bytes }: Pick<V1Answer, "bytes">,
  { what }: Pick<V1Call, "what">,
  where: string,
): T {
  const fail = (_reason: string, message: string): RegistryError =>
    new RegistryError(message, { status: 200, hint: "This host may not be a v1 registry: check host and port." });
  return checkSchema(schema, parseJson(bytes, { what, where, maxBytes: MAX_BYTES, fail }), what, where, fail);
}
