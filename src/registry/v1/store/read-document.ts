import { RegistryError } from "../../../errors.ts";
import { parseJson } from "../../../util/json/json.ts";
import { checkSchema, type Schema } from "../../../util/json/schema.ts";
import { subject } from "../../http/network-error.ts";
import { isWebPage } from "../../http/web-page.ts";
import type { V1Answer, V1Call } from "../v1-call.ts";
import { goneError } from "../v1-refusal.ts";

/** The host that answered, for messages. */
export interface DocumentOrigin {
  readonly registry: string;
  /** `registry/namespace/name`, or the registry alone. */
  readonly where: string;
}

const MAX_BYTES = 16 * 1024 * 1024;

/**
 * A JSON document of a v1 registry. Its content type says nothing: docker-registry 0.6 calls everything `text/html`.
 *
 * @throws RegistryError for another document; "no longer serves the v1 API" for a web page.
 */
export function readDocument<T>(
  schema: Schema<T>,
  { bytes }: Pick<V1Answer, "bytes">,
  { verb, what }: Pick<V1Call, "verb" | "what">,
  { registry, where }: DocumentOrigin,
): T {
  if (isWebPage({}, bytes)) throw goneError(`Cannot ${subject(verb, what, where)}`, registry, 200);
  const fail = (_reason: string, message: string): RegistryError =>
    new RegistryError(message, { status: 200, hint: "This host may not be a v1 registry: check host and port." });
  return checkSchema(schema, parseJson(bytes, { what, where, maxBytes: MAX_BYTES, fail }), what, where, fail);
}
