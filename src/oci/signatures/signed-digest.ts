import { ArchiveError } from "../../errors.ts";
import { quote } from "../../util/format.ts";
import { parseJson } from "../../util/json/json.ts";
import { array, checkSchema, fields, freeMap, nullish, string } from "../../util/json/schema.ts";
import type { Descriptor } from "../descriptor.ts";
import type { PublicKey } from "./public-key.ts";

/** Payloads and bundles are a few kB. */
export const MAX_SIGNED_BYTES: number = 1024 * 1024;

const SIMPLE_SIGNING = "application/vnd.dev.cosign.simplesigning.v1+json";
const BUNDLE =
  /^application\/vnd\.dev\.sigstore\.bundle\.v0\.3\+json$|^application\/vnd\.dev\.sigstore\.bundle\+json;version=0\.3$/;
const SIGNATURE_ANNOTATION = "dev.cosignproject.cosign/signature";
const SIGNATURE_TYPE = "cosign container image signature";
const SIGN_PREDICATE = "https://sigstore.dev/cosign/sign/v1";

const payloadSchema = fields({
  critical: fields({ type: string(), image: fields({ "docker-manifest-digest": string() }) }),
});
const bundleSchema = fields({
  dsseEnvelope: nullish(
    fields({ payload: string(), payloadType: string(), signatures: array(fields({ sig: string() })) }),
  ),
});
const statementSchema = fields({
  predicateType: string(),
  subject: array(fields({ digest: freeMap(string()) })),
});

/** Whether a layer of a referrer contains a signature that a key can check. */
export function isSignatureLayer({ mediaType }: Descriptor): boolean {
  return mediaType === SIMPLE_SIGNING || BUNDLE.test(mediaType);
}

/**
 * The digests that a layer signs: of cosign's signatures (sigstore/cosign, specs/SIGNATURE_SPEC.md), and of sigstore bundles
 * with a DSSE envelope (specs/BUNDLE_SPEC.md). Undefined for a bundle of an attestation, which signs no image.
 *
 * @param bytes of the layer, whose digest is right.
 * @throws ArchiveError "signature" for one that the key did not make, or that was altered; for a malformed one.
 */
export function signedDigests(layer: Descriptor, bytes: Uint8Array, key: PublicKey): readonly string[] | undefined {
  return layer.mediaType === SIMPLE_SIGNING ? simpleDigests(layer, bytes, key) : bundleDigests(bytes, key);
}

function simpleDigests({ annotations }: Descriptor, bytes: Uint8Array, key: PublicKey): readonly string[] {
  const text = annotations?.[SIGNATURE_ANNOTATION];
  if (text === undefined) throw fault("no signature next to the payload");
  if (!isValid(key, bytes, text)) throw notByKey(key);
  const { critical } = checkSchema(
    payloadSchema,
    parse(bytes, "signature payload"),
    "signature payload",
    "the signature",
  );
  if (critical.type !== SIGNATURE_TYPE) throw fault(`a payload of type ${quote(critical.type)}`);
  return [critical.image["docker-manifest-digest"]];
}

function bundleDigests(bytes: Uint8Array, key: PublicKey): readonly string[] | undefined {
  const { dsseEnvelope } = checkSchema(bundleSchema, parse(bytes, "bundle"), "bundle", "the signature");
  if (!dsseEnvelope) throw fault("a bundle without an envelope");
  const { payloadType, signatures } = dsseEnvelope;
  const payload = decode(dsseEnvelope.payload);
  // DSSE protocol, "Signature Definition": lengths in bytes keep type and payload apart.
  const head = `DSSEv1 ${Buffer.byteLength(payloadType)} ${payloadType} ${payload.length} `;
  const signed = Buffer.concat([Buffer.from(head), payload]);
  if (!signatures.some(({ sig }) => isValid(key, signed, sig))) throw notByKey(key);
  const { predicateType, subject } = checkSchema(
    statementSchema,
    parse(payload, "statement"),
    "statement",
    "the signature",
  );
  if (predicateType !== SIGN_PREDICATE) return undefined;
  return subject.flatMap(({ digest }) => [...digest].map(([algorithm, hex]) => `${algorithm}:${hex}`));
}

function isValid(key: PublicKey, payload: Uint8Array, text: string): boolean {
  return key.isValid(payload, decode(text));
}

function decode(text: string): Buffer {
  if (/^[A-Za-z0-9+/]+={0,2}$/.test(text) && text.length % 4 === 0) return Buffer.from(text, "base64");
  throw fault("a text that is not base64");
}

function parse(bytes: Uint8Array, what: string): unknown {
  return parseJson(bytes, { what, where: "the signature", maxBytes: MAX_SIGNED_BYTES });
}

function notByKey({ kind }: PublicKey): ArchiveError {
  // Node has no Ed25519ph, with which cosign 3 signs (RFC 8032, section 5.1).
  const variant = kind === "Ed25519" ? " (or made as Ed25519ph, like cosign 3, which is not supported)" : "";
  return fault(`a signature that this ${kind} key did not make${variant}, or an altered payload`);
}

function fault(found: string): ArchiveError {
  return new ArchiveError("signature", `found ${found}, expected a signature by the key`);
}
