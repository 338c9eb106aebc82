import { ArchiveError } from "../../errors.ts";
import { parseJson } from "../../util/json/json.ts";
import { ANY, fixedFields, INTEGER, type JsonShape, listOf } from "../../util/json/json-shape.ts";
import { array, checkSchema, fields, nullish, number, string } from "../../util/json/schema.ts";
import { MAX_MANIFEST_BYTES } from "../limits.ts";

/** Schema 1 with signatures, and without. */
export const SCHEMA1_SHAPE: JsonShape = fixedFields({
  schemaVersion: INTEGER,
  mediaType: ANY,
  name: ANY,
  tag: ANY,
  architecture: ANY,
  fsLayers: listOf(fixedFields({ blobSum: ANY })),
  history: listOf(fixedFields({ v1Compatibility: ANY })),
  signatures: listOf(fixedFields({ header: ANY, signature: ANY, protected: ANY })),
  config: ANY,
  layers: ANY,
  manifests: ANY,
});

const PROTECTED_SHAPE = fixedFields({ formatLength: INTEGER, formatTail: ANY, time: ANY });
const signedSchema = fields({ signatures: nullish(array(fields({ protected: string() }))) });
const protectedSchema = fields({ formatLength: number(), formatTail: string() });
/** Real headers have about a hundred characters. */
const MAX_PROTECTED_CHARACTERS = 4096;
const MAX_SIGNATURES = 64;
const BASE64_URL = /^[\w-]*={0,2}$/;
/** The end of the signed bytes. Signatures are inserted before the brace that closes the document. */
const TAIL = /^[\t\n\r ]*\}[\t\n\r ]*$/;

/**
 * The bytes that the digest of a schema 1 manifest covers: the signed bytes, restored by the protected headers of the
 * signatures (`formatLength`, `formatTail`), or the document itself if it has no signatures (distribution,
 * manifest-v2-1.md "Signed Manifests"). The signatures themselves are not checked, because the keys are not published.
 *
 * @throws ArchiveError "schema1-signature" if the signatures sign another document, or a json-… reason.
 */
export function schema1Payload(bytes: Uint8Array, where: string): Uint8Array {
  const document = parseDocument(bytes, where);
  if (!Object.hasOwn(Object(document), "signatures")) return bytes;
  const signatures = checkSchema(signedSchema, document, "manifest", where).signatures ?? [];
  if (signatures.length === 0 || signatures.length > MAX_SIGNATURES)
    throw badSignature(where, `${signatures.length} signatures`, `1 to ${MAX_SIGNATURES}`);
  const [first, ...others] = signatures.map(signature => parseProtected(signature.protected, where));
  if (first === undefined) throw badSignature(where, "no signature", "one");
  if (others.some(({ length, tail }) => length !== first.length || tail !== first.tail))
    throw badSignature(where, "signatures of several documents", "of one");
  if (first.length > bytes.length)
    throw badSignature(where, `signature of ${first.length} bytes`, `at most ${bytes.length}`);
  if (!TAIL.test(first.tail)) throw badSignature(where, "a signed tail with content", "the closing brace alone");
  const payload = Buffer.concat([bytes.subarray(0, first.length), Buffer.from(first.tail, "latin1")]);
  const signed = Object.keys(Object(parseDocument(payload, where)));
  const present = Object.keys(Object(document));
  // Only signatures may follow the signed part: other readers take the rest for part of the manifest.
  if (signed.includes("signatures") || present.length !== signed.length + 1)
    throw badSignature(where, "fields that are not signed", "all but the signatures signed");
  return payload;
}

function parseDocument(bytes: Uint8Array, where: string): unknown {
  return parseJson(bytes, { what: "manifest", where, maxBytes: MAX_MANIFEST_BYTES, shape: SCHEMA1_SHAPE });
}

function parseProtected(text: string, where: string): { readonly length: number; readonly tail: string } {
  if (text.length > MAX_PROTECTED_CHARACTERS || !BASE64_URL.test(text))
    throw badSignature(where, "another protected header", "one in base64url");
  const what = "protected header of a signature";
  const value = parseJson(Buffer.from(text, "base64url"), {
    what,
    where,
    maxBytes: MAX_PROTECTED_CHARACTERS,
    shape: PROTECTED_SHAPE,
  });
  const { formatLength, formatTail } = checkSchema(protectedSchema, value, what, where);
  if (!BASE64_URL.test(formatTail)) throw badSignature(where, "another formatTail", "one in base64url");
  return { length: formatLength, tail: Buffer.from(formatTail, "base64url").toString("latin1") };
}

function badSignature(where: string, found: string, expected: string): ArchiveError {
  return new ArchiveError(
    "schema1-signature",
    `Cannot read schema 1 manifest from ${where}: found ${found}, expected ${expected}`,
  );
}
